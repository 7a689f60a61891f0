//! Recording, reading back, and what the log says afterwards.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{
    changed, county, day, edge, entity, field, fields, import, meta, number, record, registry_id, text,
};
use pack::program::{Program, Value};
use store::{ChangeKind, Moment, NewSource, Outcome, Record, Registry, SourceId};
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

fn household(number_text: &str, village: &str, income: i128) -> Vec<Option<Value>> {
    vec![text(number_text), text(village), None, number(income), Some(Value::Date(day("2016-02-29")))]
}

#[test]
fn records_are_new_changed_or_as_before() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    let first = vec![household("h1", "v1", 100), household("h2", "v1", 200)];
    let (outcomes, summary) = import(&mut registry, &program, 1, "household", first.clone());
    assert_eq!(outcomes, [Outcome::Inserted, Outcome::Inserted]);
    assert_eq!((summary.import, summary.inserted, summary.last_change), (1, 2, 2));

    let (outcomes, summary) = import(&mut registry, &program, 2, "household", first);
    assert_eq!(outcomes, [Outcome::Unchanged, Outcome::Unchanged]);
    assert_eq!((summary.unchanged, summary.last_change), (2, 2), "the same again writes nothing");

    let mut changed = household("h2", "v2", 200);
    changed[4] = None;
    let (outcomes, summary) =
        import(&mut registry, &program, 3, "household", vec![changed.clone(), household("h3", "v1", 1)]);
    let (village, moved_on) = (field(&program, id, "village"), field(&program, id, "moved_on"));
    assert_eq!(outcomes, [Outcome::Updated { fields: vec![village, moved_on] }, Outcome::Inserted]);
    assert_eq!((summary.updated, summary.inserted, summary.last_change), (1, 1, 4));
    assert_eq!(registry.view().record(id, "h2").unwrap().unwrap().values, changed);
    assert_eq!(registry.check().unwrap().changes, 4);
    assert_eq!(
        registry.imports().unwrap().iter().map(|import| import.unchanged).collect::<Vec<_>>(),
        [0, 2, 0]
    );
}

#[test]
fn of_two_records_with_one_key_the_later_counts() {
    let Fixture { program, mut registry, .. } = fixture();
    let twice = vec![household("h1", "v1", 100), household("h1", "v1", 300)];
    let (outcomes, _) = import(&mut registry, &program, 1, "household", twice);
    assert!(matches!(outcomes[..], [Outcome::Inserted, Outcome::Updated { .. }]));
    let state = registry.view().record(entity(&program, "household"), "h1").unwrap().unwrap();
    assert_eq!(state.values[3], number(300));
}

#[test]
fn fields_not_given_stay_as_recorded() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 100)]);
    let columns = [field(&program, id, "income"), field(&program, id, "number")];
    let mut session = registry.begin(meta(2)).unwrap();
    let batch = [record(vec![number(5), text("h1")]), record(vec![None, text("h9")])];
    let outcomes = session.upsert(id, &columns, &batch).unwrap();
    assert_eq!(outcomes, [Outcome::Updated { fields: vec![columns[0]] }, Outcome::Inserted]);
    session.commit().unwrap();
    assert_eq!(registry.view().record(id, "h1").unwrap().unwrap().values, household("h1", "v1", 5));
    assert_eq!(
        registry.view().record(id, "h9").unwrap().unwrap().values,
        [text("h9"), None, None, None, None]
    );
    registry.check().unwrap();
}

#[test]
fn every_kind_of_value_comes_back_as_it_was() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "person");
    let values = vec![
        text("51333619800101123X"),
        text("h\"1\\\n\u{0}"),
        text("扎西·\u{1f600}"),
        Some(Value::Date(day("0001-01-01"))),
        text(""),
        Some(Value::Bool(false)),
        number(i64::MIN.into()),
        Some(Value::Index(0.1 + 0.2)),
        number(i128::MIN + 1),
    ];
    import(&mut registry, &program, 1, "person", vec![values.clone()]);
    assert_eq!(registry.view().record(id, "51333619800101123X").unwrap().unwrap().values, values);
    let then = registry.as_of(id, "51333619800101123X", Moment::from_unix_ms(1)).unwrap().unwrap();
    assert_eq!(then.values, values);
    let (outcomes, _) = import(&mut registry, &program, 1, "person", vec![values]);
    assert_eq!(outcomes, [Outcome::Unchanged]);
    registry.check().unwrap();
}

#[test]
fn history_tells_who_when_what_and_where_from() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    let columns = fields(&program, id);
    let source = |sha256: &str| NewSource::file("户.xlsx", "一", sha256);
    let put = |registry: &mut Registry, at: i64, sha256: &str, row: u32, income: i128| {
        let mut session = registry.begin(meta(at)).unwrap();
        let source = session.add_source(source(sha256)).unwrap();
        let record = Record {
            values: household("h1", "v1", income),
            source: Some(source),
            source_row: Some(row),
            valid_from: Some(day("2015-01-01")),
            ..Record::default()
        };
        session.upsert(id, columns, &[record]).unwrap();
        session.commit().unwrap();
        source
    };
    let day_ms = 86_400_000;
    assert_eq!(put(&mut registry, 10 * day_ms, "aa", 3, 100), SourceId(0));
    assert_eq!(put(&mut registry, 20 * day_ms, "bb", 4, 200), SourceId(1));
    assert_eq!(put(&mut registry, 30 * day_ms, "aa", 9, 200), SourceId(0), "a known source keeps its number");

    let history = registry.history(id, "h1").unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|change| (change.kind, change.recorded_at.unix_ms() / day_ms, change.source_row))
        .collect();
    assert_eq!(told, [(ChangeKind::Insert, 10, Some(3)), (ChangeKind::Update, 20, Some(4))]);
    assert_eq!(history[1].actor, "王芳");
    assert_eq!(history[1].source, Some(SourceId(1)));
    assert_eq!(history[1].fields, [changed("income", number(100), number(200))]);

    let at = |days: i64| {
        let then = registry.as_of(id, "h1", Moment::from_unix_ms(days * day_ms)).unwrap();
        then.map(|state| (state.values[3].clone(), state.source_row))
    };
    assert_eq!(at(9), None);
    assert_eq!(at(10), Some((number(100), Some(3))));
    assert_eq!(at(19), Some((number(100), Some(3))));
    assert_eq!(at(99), Some((number(200), Some(4))));
    assert!(registry.history(id, "h2").unwrap().is_empty());

    let sources = registry.sources().unwrap();
    assert_eq!(
        sources.iter().map(|source| (source.sha256.as_str(), source.rows)).collect::<Vec<_>>(),
        [("aa", 1), ("bb", 1)]
    );
}

#[test]
fn deleted_records_leave_their_history_and_may_return() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 100)]);
    let mut session = registry.begin(meta(2)).unwrap();
    session.delete(id, &["h1"]).unwrap();
    assert_eq!(session.view().count(id).unwrap(), 0);
    assert_eq!(session.commit().unwrap().deleted, 1);
    assert_eq!(registry.view().record(id, "h1").unwrap(), None);
    assert!(registry.as_of(id, "h1", Moment::from_unix_ms(1)).unwrap().is_some());
    assert_eq!(registry.as_of(id, "h1", Moment::from_unix_ms(2)).unwrap(), None);
    let mut session = registry.begin(meta(3)).unwrap();
    assert_eq!(session.delete(id, &["h1"]).unwrap_err().code(), "record-missing");
    drop(session);

    let mut back = household("h1", "v3", 1);
    back[4] = None;
    let (outcomes, _) = import(&mut registry, &program, 3, "household", vec![back.clone()]);
    assert_eq!(outcomes, [Outcome::Inserted]);
    assert_eq!(registry.view().record(id, "h1").unwrap().unwrap().values, back);
    let kinds: Vec<_> = registry.history(id, "h1").unwrap().iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Insert, ChangeKind::Delete, ChangeKind::Insert]);
    registry.check().unwrap();
}

#[test]
fn look_ups_see_what_the_session_has_written() {
    let Fixture { program, mut registry, .. } = fixture();
    let (household_id, person) = (entity(&program, "household"), entity(&program, "person"));
    let mut session = registry.begin(meta(1)).unwrap();
    let batch = [
        record(household("h2", "v1", 1)),
        record(household("h1", "v1", 1)),
        record(household("h3", "v2", 1)),
    ];
    session.upsert(household_id, fields(&program, household_id), &batch).unwrap();
    let view = session.view();
    let (key, village) = (field(&program, household_id, "number"), field(&program, household_id, "village"));
    let found = view.lookup(household_id, key, &["h1", "h9", "h3"]).unwrap();
    assert_eq!(found, [Some("h1".to_owned()), None, Some("h3".to_owned())]);
    let found = view.lookup(household_id, village, &["v1", "v9"]).unwrap();
    assert_eq!(found, [Some("h1".to_owned()), None], "the least key of several");
    let in_village = edge(&program, "village");
    assert_eq!(view.count_children(in_village, &["v1", "v2", "v3"]).unwrap(), [2, 1, 0]);
    assert_eq!(view.children(in_village, "v1").unwrap(), ["h1", "h2"]);
    assert_eq!(view.count(person).unwrap(), 0);
    session
        .upsert(household_id, fields(&program, household_id), &[record(household("h4", "v1", 1))])
        .unwrap();
    assert_eq!(session.view().count_children(in_village, &["v1"]).unwrap(), [3]);
    session.commit().unwrap();
    assert_eq!(registry.view().count_children(in_village, &["v1"]).unwrap(), [3]);
}

#[test]
fn scans_stream_the_columns_asked_for() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h2", "v1", 7), household("h1", "v2", 8)]);
    let columns = [field(&program, id, "income"), field(&program, id, "number")];
    let mut seen = Vec::new();
    registry
        .view()
        .scan(id, &columns, |row| {
            assert_eq!(row.value(0)?, row.integer(0).map(|fen| Value::Number(fen.into())));
            seen.push((row.text(1).unwrap().to_owned(), row.integer(0)));
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, [("h2".to_owned(), Some(7)), ("h1".to_owned(), Some(8))]);
}

#[test]
fn sources_must_be_of_the_registry() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    let mut session = registry.begin(meta(1)).unwrap();
    let batch = [Record { source: Some(SourceId(0)), ..record(household("h1", "v1", 1)) }];
    assert_eq!(session.upsert(id, fields(&program, id), &batch).unwrap_err().code(), "source-unknown");
}
