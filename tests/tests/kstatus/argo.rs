//! Health as Argo CD shows it: the script in docs/conditions.md, run as Lua. Argo CD speaks Lua 5.1 (gopher-lua) and gives
//! a user's script the base, table and package libraries, the object as the global `obj`, and one second.

use mlua::serde::SerializeOptions;
use mlua::{HookTriggers, Lua, LuaOptions, LuaSerdeExt, StdLib, Table, Value as LuaValue};
use serde_json::Value;

/// Argo CD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Progressing,
    Degraded,
    Suspended,
}

impl Health {
    fn called(word: &str) -> Self {
        match word {
            "Healthy" => Self::Healthy,
            "Progressing" => Self::Progressing,
            "Degraded" => Self::Degraded,
            "Suspended" => Self::Suspended,
            other => panic!("{other} is no health that the script should give"),
        }
    }
}

/// So many instructions are enough for any object, and take far less than Argo CD's second.
const INSTRUCTIONS: u32 = 100_000;

/// The script: the only Lua in the page.
pub fn script() -> &'static str {
    let page = include_str!("../../../docs/conditions.md");
    let mut blocks = page.split("```lua\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script = blocks.next().expect("docs/conditions.md shows the script");
    assert!(blocks.next().is_none(), "docs/conditions.md shows one script");
    script
}

/// What Argo CD makes of an object, and the message that it shows.
pub fn health(object: &Value) -> (Health, String) {
    let lua = Lua::new_with(StdLib::TABLE | StdLib::PACKAGE, LuaOptions::default()).unwrap();
    // gopher-lua has no coroutines there, mlua always.
    lua.globals().set("coroutine", LuaValue::Nil).unwrap();
    lua.globals().set("obj", given(&lua, object)).unwrap();
    let too_long = || mlua::Error::runtime(format!("the script does not end within {INSTRUCTIONS} instructions"));
    lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), move |_, _| Err(too_long())).unwrap();
    let said: Table = lua.load(script()).eval().unwrap_or_else(|error| panic!("{error}: {object}"));
    let word: String = said.get("status").unwrap();
    (Health::called(&word), said.get("message").unwrap_or_else(|error| panic!("{error}: {object}")))
}

/// The object as Argo CD gives it: null is nil.
fn given(lua: &Lua, object: &Value) -> LuaValue {
    let options =
        SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false).set_array_metatable(false);
    lua.to_value_with(object, options).unwrap()
}
