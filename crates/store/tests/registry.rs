//! Opening, growing and refusing: every error with its code and what it says to do.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{
    Builder, county, entity, event, field, fields, import, meta, number, record, registry_id, text, told,
};
use model::{AsProblem as _, Lang};
use pack::program::{Program, Value};
use rusqlite::Connection;
use store::{Registry, StoreError};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("registry.sqlite")).unwrap()
}

#[track_caller]
fn refused<T>(result: Result<T, StoreError>, code: &str, word: &str) {
    let error = result.err().unwrap_or_else(|| panic!("`{code}` was expected"));
    assert_eq!(error.code(), code, "{error}");
    let said = error.problem().message(Lang::En);
    assert!(said.contains(word), "{said}");
}

fn village(code: &str) -> Vec<Option<Value>> {
    vec![text(code), text("热斗村"), None, Some(Value::Bool(true))]
}

#[test]
fn a_registry_is_created_once_and_found_again() {
    let (folder, program) = (folder(), county().0);
    let path = folder.path().join("new").join("deep");
    refused(Registry::open(&path, &program), "registry-missing", "import something first");
    assert!(!Registry::exists(&path));
    drop(Registry::create(&path, &program, registry_id()).unwrap());
    assert!(Registry::exists(&path));
    refused(Registry::create(&path, &program, registry_id()), "registry-exists", "choose another folder");
    let mut registry = Registry::open(&path, &program).unwrap();
    import(&mut registry, &program, 1, "village", vec![village("513336102201")]);
    drop(registry);
    let registry = Registry::open(&path, &program).unwrap();
    assert_eq!(registry.view().count(entity(&program, "village")).unwrap(), 1);
}

#[test]
fn a_creation_that_was_killed_can_be_repeated() {
    let (folder, program) = (folder(), county().0);
    fs::write(folder.path().join("registry.sqlite"), "").unwrap();
    Registry::create(folder.path(), &program, registry_id()).unwrap();
}

#[test]
fn other_files_and_formats_are_refused() {
    let program = county().0;
    let check = |spoil: &dyn Fn(&Path), code: &str, word: &str| {
        let folder = folder();
        drop(Registry::create(folder.path(), &program, registry_id()).unwrap());
        spoil(folder.path());
        refused(Registry::open(folder.path(), &program), code, word);
    };
    let pragma = |name: &'static str, value: i64| {
        move |path: &Path| database(path).pragma_update(None, name, value).unwrap()
    };
    check(&pragma("user_version", 99), "registry-newer", "use a newer program");
    check(&pragma("application_id", 7), "registry-foreign", "not a registry");
    let text = |path: &Path| fs::write(path.join("registry.sqlite"), "village,code\n".repeat(1000)).unwrap();
    check(&text, "registry-foreign", "not a registry");
    let torn = |path: &Path| {
        database(path).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let file = path.join("registry.sqlite");
        let mut bytes = fs::read(&file).unwrap();
        bytes[8192..].fill(0x5a);
        fs::write(&file, bytes).unwrap();
    };
    check(&torn, "registry-corrupt", "restore it from a backup");
}

#[test]
fn a_registry_belongs_to_its_pack_and_those_that_extend_it() {
    let (folder, program) = (folder(), county().0);
    drop(Registry::create(folder.path(), &program, registry_id()).unwrap());
    let mut other = county().0;
    other.info.id = "guizhou-2015".into();
    refused(
        Registry::open(folder.path(), &other),
        "registry-other-pack",
        "`sichuan-2015`, not `guizhou-2015`",
    );
    other.info.extends.push("sichuan-2015".into());
    Registry::open(folder.path(), &other).unwrap();
}

#[test]
fn one_writes_and_others_read_what_was_before() {
    let (folder, program) = (folder(), county().0);
    let id = entity(&program, "village");
    let mut first = Registry::create(folder.path(), &program, registry_id()).unwrap();
    let mut second = Registry::open(folder.path(), &program).unwrap();
    let mut session = first.begin(meta(1)).unwrap();
    session.upsert(id, fields(&program, id), &[record(village("1"))]).unwrap();
    assert_eq!(session.view().count(id).unwrap(), 1);
    assert_eq!(second.view().count(id).unwrap(), 0);
    second.set_patience(Duration::from_millis(5)).unwrap();
    refused(second.begin(meta(1)), "registry-locked", "wait until it has finished");
    drop(session);
    assert_eq!(first.view().count(id).unwrap(), 0, "a session that is dropped leaves nothing");
    second.begin(meta(1)).unwrap();
}

#[test]
fn the_log_refuses_everything_but_growth() {
    let (folder, program) = (folder(), county().0);
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    import(&mut registry, &program, 1, "village", vec![village("1")]);
    let mut session = registry.begin(meta(2)).unwrap();
    session.append("case/1", 0, &[event("opened", "{}")]).unwrap();
    session.commit().unwrap();
    drop(registry);
    let database = database(folder.path());
    database.execute_batch("PRAGMA recursive_triggers = ON").unwrap();
    let check = |sql: &str| {
        let error = database.execute_batch(sql).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    };
    check("UPDATE change SET payload = '[]'");
    check("DELETE FROM change");
    check("INSERT OR REPLACE INTO change SELECT * FROM change");
    check("UPDATE import SET actor = 'nobody'");
    check("DELETE FROM import");
    check("UPDATE event SET payload = '{}'");
    check("DELETE FROM event");
    check("INSERT OR REPLACE INTO event SELECT * FROM event");
}

#[test]
fn a_pack_grows_and_old_records_stay() {
    let folder = folder();
    let old = Builder::new("p").entity("village", None, &["code text key", "name text"]).0;
    let mut registry = Registry::create(folder.path(), &old, registry_id()).unwrap();
    import(&mut registry, &old, 1, "village", vec![vec![text("1"), text("a")]]);
    drop(registry);
    // A field in front, a new entity in front, a field dropped, a reference that is indexed.
    let new = Builder::new("p")
        .entity("county", None, &["code text key"])
        .entity("village", None, &["county text", "people count", "code text key"])
        .edge("county", "village", "county", "county", "code", true)
        .0;
    let id = entity(&new, "village");
    let mut registry = Registry::open(folder.path(), &new).unwrap();
    assert_eq!(registry.view().record(id, "1").unwrap().unwrap().values, [None, None, text("1")]);
    import(&mut registry, &new, 2, "village", vec![vec![text("51"), number(812), text("1")]]);
    let history = registry.history(id, "1").unwrap();
    assert_eq!(told(&history[0]), [("code", text("1")), ("name", text("a"))]);
    assert_eq!(told(&history[1]), [("county", text("51")), ("people", number(812))]);
    registry.check().unwrap();
    drop(registry);
    // The old pack reads on: what it does not know stays.
    let registry = Registry::open(folder.path(), &old).unwrap();
    let id = entity(&old, "village");
    assert_eq!(registry.view().record(id, "1").unwrap().unwrap().values, [text("1"), text("a")]);
}

#[test]
fn incompatible_packs_are_refused() {
    let check = |fields: &[&str], word: &str| {
        let folder = folder();
        let before = ["code text key", "name text", "sum money", "share rate"];
        drop(
            Registry::create(
                folder.path(),
                &Builder::new("p").entity("village", None, &before).0,
                registry_id(),
            )
            .unwrap(),
        );
        let after = Builder::new("p").entity("village", None, fields).0;
        refused(Registry::open(folder.path(), &after), "pack-incompatible", word);
    };
    check(&["code text key", "sum count"], "`village.sum` is recorded as `number(2) yuan`");
    check(&["code text key", "name date"], "the pack says `date`");
    check(&["code text key", "share count"], "`number(4)`");
    check(&["code text", "name text key"], "an entity known by `code`");
}

#[test]
fn ranges_may_widen_and_texts_become_codes() {
    let folder = folder();
    let before = Builder::new("p").entity("village", None, &["code text key", "name text", "sum money"]).0;
    drop(Registry::create(folder.path(), &before, registry_id()).unwrap());
    let after = Builder::new("p").entity("village", None, &["code code key", "name code", "sum wide"]).0;
    let mut registry = Registry::open(folder.path(), &after).unwrap();
    let wide = number(i128::MAX / 7);
    import(&mut registry, &after, 1, "village", vec![vec![text("1"), None, wide.clone()]]);
    let state = registry.view().record(entity(&after, "village"), "1").unwrap().unwrap();
    assert_eq!(state.values[2], wide);
}

#[test]
fn values_that_a_field_cannot_hold_are_refused() {
    let program = county().0;
    let person = |change: &dyn Fn(&mut Vec<Option<Value>>)| {
        let mut values = vec![text("5101"), text("h"), None, None, None, None, None, None, None];
        change(&mut values);
        values
    };
    let check = |values: Vec<Option<Value>>, code: &str, word: &str| {
        let folder = folder();
        let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
        let id = entity(&program, "person");
        let mut session = registry.begin(meta(1)).unwrap();
        refused(session.upsert(id, fields(&program, id), &[record(values)]), code, word);
    };
    check(person(&|values| values[0] = None), "key-missing", "record 0 of the batch");
    check(person(&|values| values[6] = text("12")), "value-mismatch", "`person` `5101`: field `wages`");
    check(person(&|values| values[6] = number(i128::from(i64::MAX) + 1)), "value-mismatch", "64 bits");
    check(person(&|values| values[7] = Some(Value::Index(f64::NAN))), "value-mismatch", "NaN");
    check(person(&|values| values[3] = number(1)), "value-mismatch", "date");
}

#[test]
fn required_fields_are_required() {
    let (folder, program) = (folder(), county().0);
    let id = entity(&program, "stay");
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    let check = |registry: &mut Registry, names: &[&str], values: Vec<Option<Value>>| {
        let columns: Vec<_> = names.iter().map(|name| field(&program, id, name)).collect();
        let mut session = registry.begin(meta(1)).unwrap();
        refused(session.upsert(id, &columns, &[record(values)]), "value-missing", "`stay` `z1` lacks `bill`");
    };
    check(&mut registry, &["id", "bill"], vec![text("z1"), None]);
    check(&mut registry, &["id"], vec![text("z1")]);
    import(&mut registry, &program, 1, "stay", vec![vec![text("z1"), None, None, number(1)]]);
    check(&mut registry, &["id", "bill"], vec![text("z1"), None]);
}

#[test]
fn programs_that_are_no_packs_are_refused() {
    let (folder, mut program) = (folder(), county().0);
    program.entities[1].fields.remove(0);
    refused(Registry::create(folder.path(), &program, registry_id()), "pack-invalid", "key of `household`");
    assert!(!Registry::exists(folder.path()));
    let program: Program = county().0;
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    let (village, household) = (entity(&program, "village"), entity(&program, "household"));
    let mut session = registry.begin(meta(1)).unwrap();
    refused(session.upsert(village, fields(&program, household), &[]), "pack-invalid", "not a field");
    let name = field(&program, village, "name");
    refused(session.upsert(village, &[name], &[]), "pack-invalid", "without their key");
    refused(session.upsert(village, &[name, name], &[]), "pack-invalid", "given twice");
}
