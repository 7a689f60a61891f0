//! A registry of an earlier format: refused with what to do, migrated on request, and then like any other.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::path::Path;

use common::{Builder, county, entity, event, import, meta, number, registry_id, text};
use model::{AsProblem as _, Lang};
use rusqlite::Connection;
use store::{Migration, Registry, RegistryId, SourceKind, StoreError};

/// What the program of format 1 wrote: village, households `h1` (100) and `h2` (removed), person `p1`.
const FORMAT_1: &str = include_str!("fixtures/format-1.sql");

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

#[test]
fn an_older_registry_is_opened_only_after_it_was_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    database(folder.path()).execute_batch(FORMAT_1).unwrap();
    refused(Registry::open(folder.path(), &program), "registry-older", "run `xiaokang migrate`");
    refused(Registry::open(folder.path(), &program), "registry-older", "has format 1");

    let id = RegistryId::from_random([9; 16]);
    assert_eq!(Registry::migrate(folder.path(), id).unwrap(), Migration { from: 1, to: 2 });
    let mut registry = Registry::open(folder.path(), &program).unwrap();
    assert_eq!(registry.id().unwrap(), id);
    registry.check().unwrap();

    let (household, person) = (entity(&program, "household"), entity(&program, "person"));
    let state = registry.view().record(household, "h1").unwrap().unwrap();
    assert_eq!((state.values[3].clone(), state.source_row), (number(100), Some(2)));
    assert_eq!(registry.view().record(household, "h2").unwrap(), None);
    assert_eq!(registry.history(household, "h2").unwrap().len(), 3);
    assert_eq!(
        registry.view().record(person, "p1").unwrap().unwrap().values[8],
        number(1_180_591_620_717_411_303_424)
    );
    let source = registry.sources().unwrap().remove(0);
    assert_eq!((source.kind, source.file.as_str()), (SourceKind::File, "户.csv"));
    let imports = registry.imports().unwrap();
    assert_eq!(imports.len(), 4);
    assert!(imports.iter().all(|import| import.role.is_empty() && import.events == 0));
    assert_eq!(registry.divisions_at("2016-01-01".parse().unwrap()).unwrap().len(), 5);

    // It goes on like any other.
    import(&mut registry, &program, 1, "household", vec![vec![text("h3"), None, None, number(7), None]]);
    let mut session = registry.begin(meta(1)).unwrap();
    session.append("case/1", 0, &[event("opened", "{}")]).unwrap();
    session.commit().unwrap();
    assert_eq!(registry.check().unwrap().changes, 7);
}

#[test]
fn migrating_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    database(folder.path()).execute_batch(FORMAT_1).unwrap();
    Registry::migrate(folder.path(), registry_id()).unwrap();
    let again = Registry::migrate(folder.path(), RegistryId::from_random([1; 16])).unwrap();
    assert_eq!(again, Migration { from: 2, to: 2 });
    let registry = Registry::open(folder.path(), &county().0).unwrap();
    assert_eq!(registry.id().unwrap(), registry_id(), "an id is given once");
}

#[test]
fn a_migrated_registry_has_the_tables_of_a_new_one() {
    let tables = |folder: &Path| -> Vec<String> {
        let database = database(folder);
        let mut statement = database
            .prepare(
                "SELECT s.type || ' ' || s.name || ' of ' || s.tbl_name || ': ' || coalesce((
                     SELECT group_concat(c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '
                         || coalesce(c.dflt_value, '') || ' ' || c.pk) FROM pragma_table_info(s.name) c), s.sql, '')
                 FROM sqlite_schema s ORDER BY 1",
            )
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    std::fs::create_dir(&old).unwrap();
    database(&old).execute_batch(FORMAT_1).unwrap();
    Registry::migrate(&old, registry_id()).unwrap();
    drop(Registry::create(&new, &county().0, registry_id()).unwrap());
    assert_eq!(tables(&old), tables(&new));
    let pragma =
        |folder: &Path| database(folder).pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(pragma(&old).unwrap(), pragma(&new).unwrap());
}

#[test]
fn what_cannot_be_migrated_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let migrate = || Registry::migrate(folder.path(), registry_id());
    refused(migrate(), "registry-missing", "import something first");
    database(folder.path()).execute_batch("CREATE TABLE other (a)").unwrap();
    refused(migrate(), "registry-foreign", "not a registry");
    drop(std::fs::remove_file(folder.path().join("registry.sqlite")));
    database(folder.path()).execute_batch(FORMAT_1).unwrap();
    database(folder.path()).pragma_update(None, "user_version", 99).unwrap();
    refused(migrate(), "registry-newer", "use a newer program");
    database(folder.path()).pragma_update(None, "user_version", 0).unwrap();
    refused(migrate(), "registry-corrupt", "format 0 was never written");
}

#[test]
fn who_serves_refuses_a_pack_that_has_grown() {
    let folder = tempfile::tempdir().unwrap();
    let old = Builder::new("p").entity("village", None, &["code text key", "name text"]).0;
    let new = Builder::new("p").entity("village", None, &["code text key", "name text", "road bool"]).0;
    drop(Registry::create(folder.path(), &old, registry_id()).unwrap());
    drop(Registry::open_unchanged(folder.path(), &old).unwrap());
    refused(Registry::open_unchanged(folder.path(), &new), "pack-grown", "`village.road`");
    drop(Registry::open(folder.path(), &new).unwrap());
    drop(Registry::open_unchanged(folder.path(), &new).unwrap());
}

#[test]
fn two_registries_of_one_pack_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let id = |byte: u8| {
        let place = folder.path().join(byte.to_string());
        drop(Registry::create(&place, &program, RegistryId::from_random([byte; 16])).unwrap());
        let registry = Registry::open(&place, &program).unwrap();
        registry.snapshot(&place.join("snapshot")).unwrap();
        let manifest = std::fs::read(place.join("snapshot/snapshot.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["registry"], registry.id().unwrap().to_string());
        registry.id().unwrap()
    };
    assert_ne!(id(1), id(2));
}
