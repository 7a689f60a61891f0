//! Circles of files: files of one crate that use each other in turn, so that none can be read before the others.
//!
//! What a file uses is read from its `use` lines and from paths that begin with `crate`, `super`, `self` or a module
//! of its own. A name that a module only hands on (`pub use`) is looked for where it is defined, and handing on is
//! no use of it. Tests are left out.
//!
//! Deliberately lacking: a parser. Macros that build paths, and methods of types that are never named, are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The circles of every crate below a folder, each with its files in order.
pub fn circles(crates: &Path) -> Result<Vec<Vec<PathBuf>>, String> {
    let mut found = Vec::new();
    for folder in folders(crates)? {
        let source = folder.join("src");
        if source.is_dir() {
            let modules = Modules::read(&source)?;
            found.extend(modules.circles());
        }
    }
    Ok(found)
}

/// A module's names from the crate's root; the root itself has none.
type Names = Vec<String>;

struct Module {
    file: PathBuf,
    /// Without comments and tests.
    code: String,
    uses: Vec<Use>,
}

/// One name that a `use` line brings in.
struct Use {
    path: Names,
    /// Under which it is known here.
    name: String,
    handed_on: bool,
}

struct Modules(BTreeMap<Names, Module>);

impl Modules {
    fn read(source: &Path) -> Result<Self, String> {
        let mut modules = BTreeMap::new();
        collect(source, &mut Vec::new(), &mut modules)?;
        let tested: Vec<Names> = modules
            .iter()
            .flat_map(|(names, module): (&Names, &Module)| {
                test_modules(&module.code).map(move |name| [names.as_slice(), &[name]].concat())
            })
            .collect();
        modules.retain(|names, _| !tested.iter().any(|tested| names.starts_with(tested)));
        Ok(Self(modules))
    }

    fn circles(&self) -> Vec<Vec<PathBuf>> {
        let arrows: BTreeMap<&Names, BTreeSet<&Names>> =
            self.0.iter().map(|(names, module)| (names, self.used_by(names, module))).collect();
        let reaches = |from: &Names| -> BTreeSet<&Names> {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&Names> = arrows[from].iter().copied().collect();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(&arrows[next]);
                }
            }
            seen
        };
        let reach: BTreeMap<&Names, BTreeSet<&Names>> =
            self.0.keys().map(|names| (names, reaches(names))).collect();
        let mut circles = BTreeSet::new();
        for (names, reached) in &reach {
            let round: Vec<PathBuf> = reached
                .iter()
                .filter(|other| reach[**other].contains(names))
                .map(|other| self.0[*other].file.clone())
                .collect();
            if round.len() > 1 {
                circles.insert(round);
            }
        }
        circles.into_iter().collect()
    }

    /// The other modules whose names a module uses.
    fn used_by(&self, names: &Names, module: &Module) -> BTreeSet<&Names> {
        let used = module.uses.iter().filter(|used| !used.handed_on).map(|used| used.path.clone());
        let mut found: BTreeSet<&Names> = used
            .chain(paths(&without_uses(&module.code)))
            .filter_map(|path| self.absolute(names, &path))
            .filter_map(|path| self.target(&path, 0))
            .collect();
        found.remove(names);
        found
    }

    /// A path from the root; `None` for what another crate has.
    fn absolute(&self, here: &Names, path: &[String]) -> Option<Names> {
        let mut at = here.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|first| first == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            own => {
                at.push(own.to_owned());
                self.0.get(&at)?;
                rest = &rest[1..];
            }
        }
        at.extend(rest.iter().cloned());
        Some(at)
    }

    /// The module that defines what a path from the root names.
    fn target(&self, path: &[String], hops: usize) -> Option<&Names> {
        let mut length = path.len();
        while !self.0.contains_key(&path[..length]) {
            length -= 1;
        }
        let (names, module) = self.0.get_key_value(&path[..length])?;
        let handed_on = path
            .get(length)
            .and_then(|name| module.uses.iter().find(|used| used.handed_on && used.name == *name));
        match handed_on {
            Some(used) if hops < 8 => {
                let whole = self.absolute(names, &used.path)?;
                self.target(&whole, hops + 1)
            }
            _ => Some(names),
        }
    }
}

fn collect(folder: &Path, names: &mut Names, modules: &mut BTreeMap<Names, Module>) -> Result<(), String> {
    for path in entries(folder)? {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            names.push(stem);
            collect(&path, names, modules)?;
            names.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut own = names.clone();
            if !matches!(stem.as_str(), "mod" | "lib" | "main") {
                own.push(stem);
            }
            let text = fs::read_to_string(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
            let code = without_tests(&text);
            modules.insert(own, Module { file: path, uses: uses(&code), code });
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let listed = fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The code without comments, and without the module of tests at its end.
fn without_tests(text: &str) -> String {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    match code.find("#[cfg(test)]\nmod tests {") {
        Some(end) => code[..end].to_owned(),
        None => code,
    }
}

/// Modules that are compiled for tests alone.
fn test_modules(code: &str) -> impl Iterator<Item = String> + '_ {
    code.split("#[cfg(test)]").skip(1).filter_map(|after| {
        let line = after.trim_start().lines().next()?;
        let (_, name) = line.trim_end_matches(';').rsplit_once("mod ")?;
        Some(name.trim().to_owned())
    })
}

/// Where a statement begins to say what it uses, and whether it hands it on.
fn use_at(statement: &str) -> Option<(usize, bool)> {
    // It may follow attributes and the end of a block.
    let start = statement.rfind("use ")?;
    let before = statement[..start].lines().next_back().unwrap_or_default().trim();
    (before.is_empty() || before.starts_with("pub")).then(|| (start, before.starts_with("pub")))
}

fn uses(code: &str) -> Vec<Use> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        if let Some((start, handed_on)) = use_at(statement) {
            expand(&statement[start + 4..], &[], handed_on, &mut found);
        }
    }
    found
}

fn without_uses(code: &str) -> String {
    let rest = |statement| use_at(statement).map_or(statement, |(start, _)| &statement[..start]);
    code.split(';').map(rest).collect::<Vec<_>>().join(";")
}

/// The names of `a::{b, c::d as e}`.
fn expand(tree: &str, prefix: &[String], handed_on: bool, found: &mut Vec<Use>) {
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let segments = head.split("::").map(str::trim).filter(|segment| !segment.is_empty());
        let prefix: Names = prefix.iter().cloned().chain(segments.map(str::to_owned)).collect();
        let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
        let (mut depth, mut start) = (0_i32, 0);
        for (place, letter) in inside.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&inside[start..place], &prefix, handed_on, found);
                    start = place + 1;
                }
                _ => {}
            }
        }
        return expand(&inside[start..], &prefix, handed_on, found);
    }
    if tree.is_empty() {
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let own = path.split("::").map(|segment| segment.trim().to_owned());
    let mut path: Names = prefix.iter().cloned().chain(own).collect();
    if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
        path.pop();
    }
    let name =
        alias.map_or_else(|| path.last().cloned().unwrap_or_default(), |alias| alias.trim().to_owned());
    found.push(Use { path, name, handed_on });
}

/// Paths of two names and more in the code.
fn paths(code: &str) -> impl Iterator<Item = Names> + '_ {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.split(move |letter: char| !is_name(letter) && letter != ':').filter_map(move |word| {
        let path: Names = word.trim_matches(':').split("::").map(str::to_owned).collect();
        let sound = path.len() > 1 && path.iter().all(|name| !name.is_empty() && name.chars().all(is_name));
        sound.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(files: &[(&str, &str)]) -> tempdir::Folder {
        let folder = tempdir::Folder::new();
        for (name, text) in files {
            let path = folder.0.join("one/src").join(name);
            fs::create_dir_all(path.parent().expect("below the crate")).expect("a folder can be made");
            fs::write(path, text).expect("a file can be written");
        }
        folder
    }

    mod tempdir {
        use std::path::PathBuf;
        use std::sync::atomic::{AtomicU32, Ordering};

        static NEXT: AtomicU32 = AtomicU32::new(0);

        /// A folder that goes with its owner.
        pub struct Folder(pub PathBuf);

        impl Folder {
            pub fn new() -> Self {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let name = format!("circles-{}-{number}", std::process::id());
                Self(std::env::temp_dir().join(name))
            }
        }

        impl Drop for Folder {
            fn drop(&mut self) {
                // A folder of the tests that stays behind harms nobody.
                let _ = std::fs::remove_dir_all(&self.0);
            }
        }
    }

    #[test]
    fn circles_are_found_and_nothing_else() {
        let check = |what: &str, files: &[(&str, &str)], expected: &[&str]| {
            let folder = crate_of(files);
            let found = circles(&folder.0).expect("the files can be read");
            let named: Vec<String> = found
                .iter()
                .flatten()
                .map(|path| {
                    path.strip_prefix(folder.0.join("one/src")).expect("below it").display().to_string()
                })
                .collect();
            assert_eq!(named, expected, "{what}");
        };
        check(
            "one way",
            &[("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "pub struct B;")],
            &[],
        );
        let both = [
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "use crate::b::{self, B};"),
            ("b.rs", "use super::a::A;"),
        ];
        check("both ways", &both, &["a.rs", "b.rs"]);
        let inline = [
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "fn f() { crate::b::g() }"),
            ("b.rs", "use super::a::A;"),
        ];
        check("a path in the code", &inline, &["a.rs", "b.rs"]);
        let handed = [
            ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;"),
            ("a.rs", "use crate::B;"),
            ("b.rs", "pub struct B;"),
        ];
        check("a name that is handed on", &handed, &[]);
        let through = [handed[0], ("a.rs", "use crate::B;"), ("b.rs", "use crate::A;")];
        check("a circle through names that are handed on", &through, &["a.rs", "b.rs"]);
        let tests = [
            ("lib.rs", "mod a;\nmod b;\n#[cfg(test)]\nmod c;"),
            ("a.rs", "use crate::b::B;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}"),
            ("b.rs", "// use crate::a::A;\npub struct B;"),
            ("c.rs", "use crate::a::A;"),
        ];
        check("tests and comments", &tests, &[]);
        let parent = [("lib.rs", "mod a;\nuse a::A;\npub struct B;"), ("a.rs", "use super::B;")];
        check("a module and what it is made of", &parent, &["lib.rs", "a.rs"]);
    }

    /// Circles that stand, by one of their files. What is mended here has to be taken from the list.
    const STANDING: [&str; 10] = [
        "app/src/reading/mod.rs",
        "app/src/report/mod.rs",
        "evaluate/src/viewer.rs",
        "model/src/access/mod.rs",
        "pack/src/compiler.rs",
        "pack/src/flow/read.rs",
        "proof/src/receipt.rs",
        "store/src/session.rs",
        "web/src/pages/cases/mod.rs",
        "web/src/pages/list/mod.rs",
    ];

    #[test]
    fn no_files_of_the_project_use_each_other_in_turn_but_those_known_to() {
        let crates = crate::root().join("crates");
        let found = circles(&crates).expect("the sources can be read");
        let known = |circle: &&Vec<PathBuf>| STANDING.iter().any(|file| circle.contains(&crates.join(file)));
        let new: Vec<_> = found.iter().filter(|circle| !known(circle)).collect();
        assert!(new.is_empty(), "{new:#?}");
        assert_eq!(found.len(), STANDING.len(), "a circle that was known is mended: {found:#?}");
    }
}
