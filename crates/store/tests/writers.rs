//! Several writers: each waits for its turn, numbers and times follow from the order of commits, and nobody writes
//! over what he has not seen.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use common::{
    Builder, changed, county, entity, event, field, fields, import, meta, number, record, registry_id, text,
};
use pack::program::{Program, Value};
use store::{
    Conflict, Expected, FieldConflict, NewSource, Outcome, Record, RecordConflict, Registry, Removal,
    SourceKind, StoreError,
};
use tempfile::TempDir;

struct Fixture {
    folder: TempDir,
    program: Program,
    registry: Registry,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    Fixture { folder, program, registry }
}

fn household(key: &str, village: &str, income: i128) -> Vec<Option<Value>> {
    vec![text(key), text(village), None, number(income), None]
}

#[test]
fn a_writer_whose_clock_is_slow_is_recorded_after_the_one_before() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1_000_000, "household", vec![household("h1", "v1", 1)]);
    let mut session = registry.begin(meta(999_000)).unwrap();
    assert_eq!(session.recorded_at().unix_ms(), 1_000_000);
    session.upsert(id, fields(&program, id), &[record(household("h1", "v1", 2))]).unwrap();
    assert_eq!(session.commit().unwrap().recorded_at.unix_ms(), 1_000_000);
    let session = registry.begin(meta(1_000_001)).unwrap();
    assert_eq!(session.recorded_at().unix_ms(), 1_000_001);
    session.commit().unwrap();
    let times: Vec<i64> =
        registry.imports().unwrap().iter().map(|import| import.recorded_at.unix_ms()).collect();
    assert_eq!(times, [1_000_000, 1_000_000, 1_000_001]);
    registry.check().unwrap();
}

#[test]
fn the_second_writer_waits_for_the_first() {
    let Fixture { folder, program, mut registry } = fixture();
    let id = entity(&program, "household");
    let (begun, wait) = channel();
    let (path, other_program) = (folder.path().to_owned(), program.clone());
    let (done, told) = channel();
    let other = thread::spawn(move || {
        let mut registry = Registry::open(&path, &other_program).unwrap();
        wait.recv().unwrap();
        let summary = import(&mut registry, &other_program, 1, "household", vec![household("h2", "v1", 2)]).1;
        done.send(summary).unwrap();
    });
    let mut session = registry.begin(meta(50)).unwrap();
    session.upsert(id, fields(&program, id), &[record(household("h1", "v1", 1))]).unwrap();
    begun.send(()).unwrap();
    // Longer than writers once waited for their turn.
    assert_eq!(told.recv_timeout(Duration::from_millis(1500)), Err(RecvTimeoutError::Timeout));
    let first = session.commit().unwrap();
    let second = told.recv().unwrap();
    other.join().unwrap();
    assert_eq!((first.import, second.import), (1, 2));
    assert_eq!((first.last_change, second.last_change), (1, 2));
    assert_eq!(second.recorded_at.unix_ms(), 50);
    registry.check().unwrap();
}

const WRITERS: usize = 4;
const IMPORTS: usize = 8;

#[test]
fn many_writers_leave_numbers_and_times_in_order() {
    let Fixture { folder, program, registry } = fixture();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (path, program) = (folder.path(), &program);
            scope.spawn(move || {
                let mut registry = Registry::open(path, program).unwrap();
                let id = entity(program, "household");
                for index in 0..IMPORTS {
                    // Clocks that disagree by seconds.
                    let at = 1000 * (writer as i64 + 1) + index as i64;
                    let mut session = registry.begin(meta(at)).unwrap();
                    let source = NewSource::file(format!("{writer}-{index}.csv"), "", "aa");
                    let source = Some(session.add_source(source).unwrap());
                    let values = household(&format!("h{writer}-{index}"), "v1", index as i128);
                    let record = Record { source, ..record(values) };
                    session.upsert(id, fields(program, id), &[record]).unwrap();
                    let length = session.view().stream_length("log").unwrap();
                    session.append("log", length, &[event("leaf", "1")]).unwrap();
                    session.commit().unwrap();
                }
            });
        }
    });
    let imports = registry.imports().unwrap();
    let total = (WRITERS * IMPORTS) as u64;
    assert!(imports.iter().map(|import| u64::from(import.id)).eq(1..=total));
    assert!(imports.iter().map(|import| import.last_change).eq(1..=total));
    assert!(imports.is_sorted_by_key(|import| import.recorded_at));
    assert!(registry.sources().unwrap().iter().map(|source| u64::from(source.id.0)).eq(0..total));
    let events = registry.view().events_after(0, 1000).unwrap();
    assert!(events.iter().map(|event| event.sequence).eq(1..=total));
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    registry.check().unwrap();
}

#[test]
fn a_process_meets_fields_that_another_has_added() {
    let folder = tempfile::tempdir().unwrap();
    let old = Builder::new("p").entity("village", None, &["code text key", "name text"]).0;
    let new = Builder::new("p")
        .entity("county", None, &["code text key"])
        .entity("village", None, &["code text key", "road bool", "name text"])
        .0;
    let mut long_lived = Registry::create(folder.path(), &old, registry_id()).unwrap();
    let id = entity(&old, "village");
    import(&mut long_lived, &old, 1, "village", vec![vec![text("1"), text("a")]]);
    assert_eq!(long_lived.history(id, "1").unwrap().len(), 1);

    let mut grown = Registry::open(folder.path(), &new).unwrap();
    import(&mut grown, &new, 2, "county", vec![vec![text("51")]]);
    import(&mut grown, &new, 2, "village", vec![vec![text("1"), Some(Value::Bool(true)), text("b")]]);

    let history = long_lived.history(id, "1").unwrap();
    let expected = [changed("name", text("a"), text("b")), changed("road", None, Some(Value::Bool(true)))];
    assert_eq!(history[1].fields, expected);
    assert_eq!(long_lived.changed_since(1).unwrap(), [(id, "1".to_owned())]);
    // What it writes and what it does not know stand side by side.
    import(&mut long_lived, &old, 3, "village", vec![vec![text("1"), text("c")], vec![text("2"), None]]);
    let id = entity(&new, "village");
    let state = grown.view().record(id, "1").unwrap().unwrap();
    assert_eq!(state.values, [text("1"), Some(Value::Bool(true)), text("c")]);
    grown.check().unwrap();
    long_lived.check().unwrap();
}

#[test]
fn a_step_writes_records_that_say_which_step() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    let mut session = registry.begin(meta(1)).unwrap();
    let decision = session.add_source(NewSource::step("case/7", "decision")).unwrap();
    let source = Some(decision);
    let new = Record { source, expected: Expected::Absent, ..record(household("h1", "v1", 1)) };
    assert_eq!(session.upsert(id, fields(&program, id), &[new]).unwrap(), [Outcome::Inserted]);
    session.append("case/7", 0, &[event("decided", "{}")]).unwrap();
    session.commit().unwrap();
    let seen = registry.view().record(id, "h1").unwrap().unwrap();
    let mut session = registry.begin(meta(2)).unwrap();
    assert_eq!(session.add_source(NewSource::step("case/7", "decision")).unwrap(), decision);
    let source = Some(session.add_source(NewSource::step("case/7", "appeal")).unwrap());
    let known = Expected::Change(seen.change);
    let update = Record { source, expected: known, ..record(household("h1", "v1", 2)) };
    session.upsert(id, fields(&program, id), &[update]).unwrap();
    session.commit().unwrap();
    let sources = registry.sources().unwrap();
    let told: Vec<_> = registry
        .history(id, "h1")
        .unwrap()
        .iter()
        .map(|change| sources[change.source.unwrap().0 as usize].clone())
        .collect();
    assert_eq!(
        (told[0].kind, told[0].file.as_str(), told[0].sheet.as_str()),
        (SourceKind::Step, "case/7", "decision")
    );
    assert_eq!(told[1].sheet, "appeal");
}

/// The conflict that a write of `record` meets, on which nothing is written and the session goes on.
fn conflict(registry: &mut Registry, program: &Program, record: Record) -> RecordConflict {
    let id = entity(program, "household");
    let mut session = registry.begin(meta(9)).unwrap();
    let fresh = common::record(household("new", "v9", 9));
    let error = session.upsert(id, fields(program, id), &[fresh.clone(), record]).unwrap_err();
    assert_eq!(error.refusal(), Some(model::RefusalCode::ChangedMeanwhile));
    assert_eq!(session.view().record(id, "new").unwrap(), None, "nothing of the batch is written");
    session.upsert(id, fields(program, id), &[fresh]).unwrap();
    drop(session);
    match error {
        StoreError::ChangedMeanwhile(conflict) => match *conflict {
            Conflict::Record(conflict) => conflict,
            Conflict::Stream(_) => panic!("it is about a record"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn who_saw_an_older_record_is_shown_both() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 1)]);
    let seen = registry.view().record(id, "h1").unwrap().unwrap().change;
    import(&mut registry, &program, 2, "household", vec![household("h1", "v2", 1)]);
    let write = Record { expected: Expected::Change(seen), ..record(household("h1", "v1", 5)) };
    let conflict = conflict(&mut registry, &program, write);
    assert_eq!(
        (conflict.entity.as_str(), conflict.key.as_str(), conflict.found),
        ("household", "h1", Some(2))
    );
    let expected = [
        FieldConflict {
            column: field(&program, id, "village"),
            name: "village".into(),
            seen: text("v1"),
            now: text("v2"),
            given: text("v1"),
        },
        FieldConflict {
            column: field(&program, id, "income"),
            name: "income".into(),
            seen: number(1),
            now: number(1),
            given: number(5),
        },
    ];
    assert_eq!(conflict.fields, expected);
}

#[test]
fn every_expectation_is_checked_before_anything_is_written() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 1), household("h2", "v1", 1)]);
    let mut session = registry.begin(meta(2)).unwrap();
    session.delete(id, &["h2"]).unwrap();
    session.commit().unwrap();
    let expecting = |key: &str, expected| Record { expected, ..record(household(key, "v1", 4)) };
    let mut check = |key: &str, expected, found: Option<u64>, words: &str| {
        let met = conflict(&mut registry, &program, expecting(key, expected));
        assert_eq!((met.expected, met.found), (expected, found));
        assert!(Conflict::Record(met).text().en.contains(words));
    };
    check("h1", Expected::Absent, Some(1), "is there already");
    check("h2", Expected::Change(2), None, "is no longer there");
    check("h2", Expected::Change(3), None, "is no longer there");
    check("h3", Expected::Change(1), None, "is no longer there");
    check("h1", Expected::Change(2), Some(1), "was changed (`income`)");
    // What is as expected is written, a deleted record being absent.
    let mut session = registry.begin(meta(3)).unwrap();
    let batch = [
        expecting("h1", Expected::Change(1)),
        expecting("h2", Expected::Absent),
        expecting("h4", Expected::Absent),
    ];
    session.upsert(id, fields(&program, id), &batch).unwrap();
    session.commit().unwrap();
    registry.check().unwrap();
}

#[test]
fn a_removal_is_a_change_with_a_source() {
    let Fixture { program, mut registry, .. } = fixture();
    let id = entity(&program, "household");
    import(&mut registry, &program, 1, "household", vec![household("h1", "v1", 1), household("h2", "v1", 1)]);
    let mut session = registry.begin(meta(2)).unwrap();
    let source = Some(session.add_source(NewSource::step("case/7", "exit")).unwrap());
    let removal = |key: &str, change| Removal {
        key: key.into(),
        source,
        expected: Expected::Change(change),
        ..Removal::default()
    };
    let error = session.remove(id, &[removal("h1", 1), removal("h2", 1)]).unwrap_err();
    assert_eq!(error.code(), "changed-meanwhile");
    assert_eq!(session.view().count(id).unwrap(), 2);
    session.remove(id, &[removal("h1", 1), removal("h2", 2)]).unwrap();
    assert_eq!(session.commit().unwrap().deleted, 2);
    let last = registry.history(id, "h1").unwrap().pop().unwrap();
    assert_eq!(last.source, source);
    let expected = [
        changed("number", text("h1"), None),
        changed("village", text("v1"), None),
        changed("income", number(1), None),
    ];
    assert_eq!(last.fields, expected);
    registry.check().unwrap();
}
