//! Taking back an import: what it did is undone by further changes, and what others did since is not.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{
    Builder, county, entity, event, field, fields, import, meta, number, record, registry_id, text,
};
use pack::program::{Program, Value};
use proptest::prelude::*;
use store::{
    ChangeKind, FieldConflict, NotUndone, NotUndoneReason, Record, Registry, SourceKind, StoreError, Undone,
};
use tempfile::TempDir;

struct Fixture {
    _folder: TempDir,
    program: Program,
    registry: Registry,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    Fixture { _folder: folder, program, registry }
}

fn household(key: &str, village: &str, income: i128) -> Vec<Option<Value>> {
    vec![text(key), text(village), None, number(income), None]
}

fn person(key: &str, household: &str) -> Vec<Option<Value>> {
    vec![text(key), text(household), None, None, None, None, None, None, None]
}

fn undo(registry: &mut Registry, import: u32) -> Undone {
    let mut session = registry.begin(meta(100)).unwrap();
    let undone = session.undo_import(import).unwrap();
    session.commit().unwrap();
    registry.check().unwrap();
    undone
}

fn values(registry: &Registry, program: &Program, name: &str, key: &str) -> Option<Vec<Option<Value>>> {
    registry.view().record(entity(program, name), key).unwrap().map(|state| state.values)
}

#[test]
fn an_import_is_taken_back_by_further_changes() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 1), household("h2", "v1", 2)]);
    let mut session = registry.begin(meta(2)).unwrap();
    let batch = [household("h1", "v2", 5), household("h3", "v1", 3), household("h1", "v2", 6)].map(record);
    session.upsert(id, fields(&program, id), &batch).unwrap();
    session.delete(id, &["h2"]).unwrap();
    session.commit().unwrap();

    let undone = undo(&mut registry, 2);
    assert_eq!(undone, Undone { records: 3, unchanged: 0, refused: vec![] });
    assert_eq!(values(&registry, &program, "household", "h1"), Some(household("h1", "v1", 1)));
    assert_eq!(values(&registry, &program, "household", "h2"), Some(household("h2", "v1", 2)));
    assert_eq!(values(&registry, &program, "household", "h3"), None);

    let history = registry.history(id, "h1").unwrap();
    assert_eq!(history.len(), 4, "nothing of the history is gone");
    let back = &history[3];
    assert_eq!((back.kind, back.import, back.fields.len()), (ChangeKind::Update, 3, 2));
    let source = &registry.sources().unwrap()[back.source.unwrap().0 as usize];
    assert_eq!((source.kind, source.file.as_str(), source.rows), (SourceKind::Undo, "import 2", 3));
    assert_eq!(registry.history(id, "h3").unwrap().last().unwrap().kind, ChangeKind::Delete);

    let again = undo(&mut registry, 2);
    assert_eq!(again, Undone { records: 0, unchanged: 3, refused: vec![] }, "once is enough");
    // An undo is an import, and can be taken back too.
    assert_eq!(undo(&mut registry, 3).records, 3);
    assert_eq!(values(&registry, &program, "household", "h1"), Some(household("h1", "v2", 6)));
    assert_eq!(values(&registry, &program, "household", "h2"), None);
    assert_eq!(values(&registry, &program, "household", "h3"), Some(household("h3", "v1", 3)));
}

#[test]
fn what_was_changed_since_stays_and_both_are_shown() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 1), household("h2", "v1", 1)]);
    import(&mut registry, &program, 2, "household", vec![household("h1", "v1", 5), household("h2", "v1", 5)]);
    import(&mut registry, &program, 3, "household", vec![household("h1", "v2", 5)]);
    let undone = undo(&mut registry, 2);
    let conflict = |name: &str, seen, now, given| FieldConflict {
        column: field(&program, id, name),
        name: name.into(),
        seen,
        now,
        given,
    };
    let fields = vec![
        conflict("village", text("v1"), text("v2"), text("v1")),
        conflict("income", number(5), number(5), number(1)),
    ];
    let reason = NotUndoneReason::ChangedSince { import: 3, fields };
    let refused = vec![NotUndone { entity: "household".into(), key: "h1".into(), reason }];
    assert_eq!(undone, Undone { records: 1, unchanged: 0, refused });
    assert_eq!(values(&registry, &program, "household", "h1"), Some(household("h1", "v2", 5)));
    assert_eq!(values(&registry, &program, "household", "h2"), Some(household("h2", "v1", 1)));
}

#[test]
fn a_record_that_others_refer_to_stays() {
    let Fixture { program, mut registry, .. } = fixture();
    let (households, persons) = (entity(&program, "household"), entity(&program, "person"));
    let mut session = registry.begin(meta(1)).unwrap();
    let batch = [household("h1", "v1", 1), household("h2", "v1", 1)].map(record);
    session.upsert(households, fields(&program, households), &batch).unwrap();
    let batch = [person("p1", "h1"), person("p2", "h2")].map(record);
    session.upsert(persons, fields(&program, persons), &batch).unwrap();
    session.commit().unwrap();
    import(&mut registry, &program, 2, "person", vec![person("p3", "h2")]);
    let undone = undo(&mut registry, 1);
    let reason = NotUndoneReason::Referred { entity: "person".into(), key: "p3".into() };
    let refused = vec![NotUndone { entity: "household".into(), key: "h2".into(), reason }];
    assert_eq!(undone, Undone { records: 3, unchanged: 0, refused });
    assert_eq!(registry.view().count(persons).unwrap(), 1);
}

#[test]
fn fields_that_the_open_pack_does_not_have_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let new = Builder::new("p")
        .entity("village", None, &["code text key", "name text", "road bool"])
        .entity("well", None, &["code text key"])
        .0;
    let old = Builder::new("p").entity("village", None, &["code text key", "name text"]).0;
    let mut registry = Registry::create(folder.path(), &new, registry_id()).unwrap();
    let (villages, wells) = (entity(&new, "village"), entity(&new, "well"));
    let mut session = registry.begin(meta(1)).unwrap();
    let batch = [vec![text("1"), text("a"), Some(Value::Bool(true))], vec![text("2"), text("b"), None]];
    session.upsert(villages, fields(&new, villages), &batch.map(record)).unwrap();
    session.upsert(wells, fields(&new, wells), &[record(vec![text("w")])]).unwrap();
    session.commit().unwrap();
    drop(registry);
    let mut registry = Registry::open(folder.path(), &old).unwrap();
    let undone = undo(&mut registry, 1);
    let refused = |entity: &str, key: &str| NotUndone {
        entity: entity.into(),
        key: key.into(),
        reason: NotUndoneReason::NotInPack,
    };
    let refused = vec![refused("well", "w"), refused("village", "1")];
    assert_eq!(undone, Undone { records: 1, unchanged: 0, refused });
}

#[test]
fn imports_with_events_are_kept() {
    let Fixture { program, mut registry, .. } = fixture();
    let check = |registry: &mut Registry, import: u32, code: &str| {
        let mut session = registry.begin(meta(9)).unwrap();
        let error: StoreError = session.undo_import(import).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    };
    let mut session = registry.begin(meta(1)).unwrap();
    session.append("case/1", 0, &[event("opened", "{}")]).unwrap();
    session.commit().unwrap();
    let list = store::read_division_list("code,parent,level,name\n51,,province,四川省\n").unwrap();
    let mut session = registry.begin(meta(2)).unwrap();
    session.load_divisions(&list, "2015-01-01".parse().unwrap(), &[]).unwrap();
    session.commit().unwrap();
    check(&mut registry, 1, "import-kept");
    check(&mut registry, 2, "import-kept");
    check(&mut registry, 3, "import-missing");
    assert!(registry.view().record(entity(&program, "village"), "51").unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any import among any others: records that no later import touched are as before it, all others as they were.
    #[test]
    fn any_import_can_be_taken_back(
        imports in prop::collection::vec(prop::collection::vec((0..5_u8, prop::option::of(0..3_i128)), 1..5), 1..6),
        chosen in any::<prop::sample::Index>(),
    ) {
        let Fixture { program, mut registry, .. } = fixture();
        let id = entity(&program, "household");
        let keys: Vec<String> = (0..5).map(|key| format!("h{key}")).collect();
        let state = |registry: &Registry| -> Vec<Option<Vec<Option<Value>>>> {
            keys.iter().map(|key| values(registry, &program, "household", key)).collect()
        };
        let mut states = vec![state(&registry)];
        for steps in &imports {
            let mut session = registry.begin(meta(1)).unwrap();
            for (key, income) in steps {
                let key = &keys[usize::from(*key)];
                match income {
                    Some(income) => {
                        let batch: [Record; 1] = [record(household(key, "v", *income))];
                        session.upsert(id, fields(&program, id), &batch).unwrap();
                    }
                    None if session.view().record(id, key).unwrap().is_some() => session.delete(id, &[key]).unwrap(),
                    None => {}
                }
            }
            session.commit().unwrap();
            states.push(state(&registry));
        }
        let chosen = chosen.index(imports.len()) + 1;
        let changed = |key: &str, import: u32| {
            registry.history(id, key).unwrap().iter().any(|change| change.import == import)
        };
        let expected: Vec<_> = keys
            .iter()
            .enumerate()
            .map(|(place, key)| {
                let since = (chosen + 1..=imports.len()).any(|later| changed(key, later as u32));
                let touched = changed(key, chosen as u32);
                let from = if touched && !since { chosen - 1 } else { imports.len() };
                states[from][place].clone()
            })
            .collect();
        undo(&mut registry, chosen as u32);
        prop_assert_eq!(state(&registry), expected);
    }
}
