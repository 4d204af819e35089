//! Commits of a git remote in memory that have files: real objects with their real IDs, and the packs that they are sent in. A commit is
//! told by its name, as everywhere: `app-N` changes the application, `prose-N` the README only, and `skip-N` changes the application and
//! says in its message that it is not to be released. Each is compared with all the others: `prose-1` to `prose-9` have the
//! application of `app-1`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_hash::ObjectId;
use gix_object::Kind;

type Objects = BTreeMap<String, (Kind, Vec<u8>)>;

const SHA1: gix_hash::Kind = gix_hash::Kind::Sha1;

struct All {
    by_id: Objects,
    commits: BTreeMap<String, String>,
}

static ALL: LazyLock<All> = LazyLock::new(|| {
    let mut all = All { by_id: Objects::new(), commits: BTreeMap::new() };
    for number in 1..=9 {
        all.commit(&format!("app-{number}"), &format!("app-{number}"), "1");
        all.commit(&format!("prose-{number}"), "app-1", &number.to_string());
        all.commit(&format!("skip-{number}"), &format!("skipped-{number}"), "1");
    }
    all
});

impl All {
    fn commit(&mut self, name: &str, application: &str, readme: &str) {
        let app = [("main.py", application), ("settings.json", "{}")].map(|(name, text)| (name, self.blob(text)));
        let app = self.tree(app.map(|(name, id)| ("100644", name, id)));
        let root = [("100644", "README.md", self.blob(readme)), ("40000", "app", app)];
        let root = self.tree(root);
        let words = if name.starts_with("skip-") { format!("{name}\n\n[skip ci]\n") } else { format!("{name}\n") };
        let who = "Ada <ada@example.com> 1764000000 +0000";
        let commit = format!("tree {root}\nauthor {who}\ncommitter {who}\n\n{words}");
        let id = self.object(Kind::Commit, commit.into_bytes());
        self.commits.insert(name.to_owned(), id.to_string());
    }

    fn blob(&mut self, text: &str) -> ObjectId {
        self.object(Kind::Blob, text.as_bytes().to_vec())
    }

    fn tree<const N: usize>(&mut self, entries: [(&str, &str, ObjectId); N]) -> ObjectId {
        let mut tree = Vec::new();
        for (mode, name, id) in entries {
            tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            tree.extend_from_slice(id.as_slice());
        }
        self.object(Kind::Tree, tree)
    }

    fn object(&mut self, kind: Kind, data: Vec<u8>) -> ObjectId {
        let id = gix_object::compute_hash(SHA1, kind, &data).expect("a hash");
        self.by_id.insert(id.to_string(), (kind, data));
        id
    }
}

/// The ID of a commit that has files; none: no commit of that name has any.
pub fn id(name: &str) -> Option<String> {
    ALL.commits.get(name).cloned()
}

/// The answer to a `fetch` whose filter is `tree:0`: the objects that the request wants, and nothing that belongs to them.
pub fn answer(request: &str) -> Vec<u8> {
    let wanted: Vec<&str> = request.split("want ").skip(1).filter_map(|rest| rest.lines().next()).collect();
    let known: Option<Vec<&(Kind, Vec<u8>)>> = wanted.iter().map(|id| ALL.by_id.get(*id)).collect();
    let Some(objects) = known.filter(|_| request.contains("filter tree:0")) else {
        return framed(b"ERR upload-pack: not our ref\n");
    };
    let pack = pack(&objects);
    let mut body = framed(b"packfile\n");
    for part in pack.chunks(1000) {
        body.extend(framed(&[&[1], part].concat()));
    }
    body.extend_from_slice(b"0000");
    body
}

/// The objects as gitformat-pack has them, whole.
fn pack(objects: &[&(Kind, Vec<u8>)]) -> Vec<u8> {
    let count = u32::try_from(objects.len()).expect("a few objects");
    let mut pack = [b"PACK".as_slice(), &2_u32.to_be_bytes(), &count.to_be_bytes()].concat();
    for (kind, data) in objects {
        let kind = match kind {
            Kind::Commit => 1_u8,
            Kind::Tree => 2,
            Kind::Blob => 3,
            Kind::Tag => 4,
        };
        let mut rest = data.len() >> 4;
        let mut byte = kind << 4 | (data.len() & 15) as u8;
        while rest > 0 {
            pack.push(byte | 128);
            byte = (rest & 127) as u8;
            rest >>= 7;
        }
        pack.push(byte);
        let mut zlib = ZlibEncoder::new(&mut pack, Compression::fast());
        zlib.write_all(data).and_then(|()| zlib.finish().map(drop)).expect("memory");
    }
    let mut hasher = gix_hash::hasher(SHA1);
    hasher.update(&pack);
    pack.extend_from_slice(hasher.try_finalize().expect("a hash").as_slice());
    pack
}

fn framed(line: &[u8]) -> Vec<u8> {
    [format!("{:04x}", line.len() + 4).as_bytes(), line].concat()
}
