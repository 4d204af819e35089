//! Argo CD's Lua: what it makes of an object by the scripts that we give to its users (`docs/argocd`). Argo CD speaks Lua 5.1
//! (gopher-lua) and gives a user's script the base, table and package libraries, time and date of `os`, the object as the global
//! `obj`, and one second.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use mlua::serde::{DeserializeOptions, SerializeOptions};
use mlua::{HookTriggers, Lua, LuaOptions, LuaSerdeExt, StdLib, Value as LuaValue};
use serde_json::Value;

/// So many instructions are enough for any object, and take far less than Argo CD's second.
const INSTRUCTIONS: u32 = 100_000;
/// What the clock of the scripts says, in the form that they ask for.
const NOW: [(&str, &str); 2] = [("!%Y-%m-%dT%XZ", "2026-11-23T08:00:00Z"), ("!%Y%m%d%H%M%S", "20261123080000")];

/// The folder in Argo CD's own layout.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/argocd/resource_customizations/launchway.dev")
}

/// Argo CD's words for the health of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is as it should be.
    Healthy,
    /// Work is going on.
    Progressing,
    /// It failed.
    Degraded,
    /// It waits for a person or a time.
    Suspended,
}

/// What Argo CD shows of an object's health, and the message.
///
/// # Errors
/// The script cannot be read or fails, or says something that Argo CD does not know.
pub fn health(object: &Value) -> anyhow::Result<(Health, String)> {
    let said = run(&folder().join("_/health.lua"), object)?;
    let health = match said["status"].as_str() {
        Some("Healthy") => Health::Healthy,
        Some("Progressing") => Health::Progressing,
        Some("Degraded") => Health::Degraded,
        Some("Suspended") => Health::Suspended,
        other => anyhow::bail!("{other:?} is no health that the script should give: {object}"),
    };
    let message = said["message"].as_str().with_context(|| format!("no message: {object}"))?;
    Ok((health, message.to_owned()))
}

/// What a script returns for an object.
///
/// # Errors
/// The script cannot be read, fails, or takes too long.
pub fn run(script: &Path, object: &Value) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    let said = evaluated(&text, object);
    let said = said.map_err(|error| anyhow!("{}: {error}: {object}", script.display()))?;
    ensure!(said.is_object() || said.is_array(), "{} returns no table", script.display());
    Ok(said)
}

fn evaluated(script: &str, object: &Value) -> mlua::Result<Value> {
    let lua = Lua::new_with(StdLib::TABLE | StdLib::PACKAGE, LuaOptions::default())?;
    // gopher-lua has no coroutines there, mlua always.
    lua.globals().set("coroutine", LuaValue::Nil)?;
    lua.globals().set("obj", given(&lua, object)?)?;
    lua.register_module("os", clock(&lua)?)?;
    let too_long = || mlua::Error::runtime(format!("the script does not end within {INSTRUCTIONS} instructions"));
    lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), move |_, _| Err(too_long()))?;
    let said: LuaValue = lua.load(script).eval()?;
    lua.from_value_with(said, DeserializeOptions::new())
}

/// A clock that stands still.
fn clock(lua: &Lua) -> mlua::Result<mlua::Table> {
    let os = lua.create_table()?;
    let date = |_: &Lua, form: String| {
        let known = NOW.iter().find(|(known, _)| *known == form);
        known.map(|(_, now)| *now).ok_or_else(|| mlua::Error::runtime(format!("os.date({form}) is not known here")))
    };
    os.set("date", lua.create_function(date)?)?;
    Ok(os)
}

/// The object as Argo CD gives it: null is nil.
fn given(lua: &Lua, object: &Value) -> mlua::Result<LuaValue> {
    let options =
        SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false).set_array_metatable(false);
    lua.to_value_with(object, options)
}
