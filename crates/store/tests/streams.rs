//! Streams of events: order, repetition, meeting others, and one transaction with records.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{county, entity, event, fields, import, meta, number, record, registry_id, text};
use pack::program::Program;
use proptest::prelude::*;
use store::{Appended, Conflict, ImportMeta, Moment, NewEvent, Registry, StoreError, StreamConflict};
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

fn keyed(key: &str, payload: &str) -> NewEvent {
    NewEvent { kind: "posted".into(), payload: payload.into(), key: Some(key.into()) }
}

/// Appends in a session of its own.
fn append(registry: &mut Registry, stream: &str, expected: u64, events: &[NewEvent]) -> Appended {
    let mut session = registry.begin(meta(1)).unwrap();
    let appended = session.append(stream, expected, events).unwrap();
    session.commit().unwrap();
    appended
}

fn payloads(events: &[store::Event]) -> Vec<&str> {
    events.iter().map(|event| event.payload.as_str()).collect()
}

#[test]
fn streams_keep_their_events_in_order() {
    let Fixture { mut registry, .. } = fixture();
    let first = append(&mut registry, "case/1", 0, &[event("opened", "{\"a\": 1}"), event("surveyed", "2")]);
    assert_eq!(first, Appended { sequence: 1, position: 0, repeated: false });
    let other = append(&mut registry, "case/2", 0, &[event("opened", "[]")]);
    assert_eq!((other.sequence, other.position), (3, 0));
    let next = append(&mut registry, "case/1", 2, &[event("decided", "null")]);
    assert_eq!((next.sequence, next.position), (4, 2));

    let view = registry.view();
    let events = view.stream("case/1", 0, 100).unwrap();
    assert_eq!(payloads(&events), ["{\"a\": 1}", "2", "null"], "payloads are kept to the byte");
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(events[2].sequence, 4);
    assert_eq!(view.stream_length("case/1").unwrap(), 3);
    assert_eq!(view.stream_length("case/3").unwrap(), 0);
    assert_eq!(payloads(&view.stream("case/1", 1, 1).unwrap()), ["2"]);
    assert_eq!(payloads(&view.events_after(1, 2).unwrap()), ["2", "[]"]);
    assert!(view.events_after(4, 10).unwrap().is_empty());
}

#[test]
fn events_tell_who_wrote_them_and_when() {
    let Fixture { mut registry, .. } = fixture();
    let meta = ImportMeta {
        actor: "李强".into(),
        role: "township".into(),
        recorded_at: Moment::from_unix_ms(77),
        pack_digest: "00".repeat(32),
    };
    let mut session = registry.begin(meta).unwrap();
    session.append("case/1", 0, &[event("opened", "1")]).unwrap();
    assert_eq!(session.view().stream("case/1", 0, 9).unwrap()[0].actor, "李强", "seen before the commit");
    let summary = session.commit().unwrap();
    assert_eq!((summary.events, summary.recorded_at.unix_ms()), (1, 77));
    let event = registry.view().stream("case/1", 0, 9).unwrap().remove(0);
    assert_eq!((event.actor.as_str(), event.role.as_str(), event.import), ("李强", "township", 1));
    assert_eq!(event.recorded_at.unix_ms(), 77);
    let import = registry.imports().unwrap().remove(0);
    assert_eq!((import.role.as_str(), import.events), ("township", 1));
}

#[test]
fn who_does_not_know_the_latest_event_is_told() {
    let Fixture { mut registry, .. } = fixture();
    append(&mut registry, "case/1", 0, &[event("opened", "1"), event("surveyed", "2")]);
    let check = |registry: &mut Registry, expected: u64| {
        let mut session = registry.begin(meta(1)).unwrap();
        let error = session.append("case/1", expected, &[event("decided", "3")]).unwrap_err();
        assert_eq!(error.code(), "changed-meanwhile");
        assert_eq!(error.refusal(), Some(model::RefusalCode::ChangedMeanwhile));
        let StoreError::ChangedMeanwhile(conflict) = error else { panic!("{error}") };
        let expected = StreamConflict { stream: "case/1".into(), expected, found: 2 };
        assert_eq!(*conflict, Conflict::Stream(expected));
        // Nothing was written, so the session can go on with what it reads now.
        let length = session.view().stream_length("case/1").unwrap();
        session.append("case/1", length, &[event("decided", "3")]).unwrap();
    };
    check(&mut registry, 0);
    check(&mut registry, 1);
    check(&mut registry, 3);
    assert_eq!(registry.view().stream_length("case/1").unwrap(), 2, "those sessions were dropped");
}

#[test]
fn the_same_append_again_has_the_same_answer() {
    let Fixture { mut registry, .. } = fixture();
    append(&mut registry, "ledger", 0, &[event("opened", "0")]);
    let events = [keyed("k1", "1"), event("posted", "2"), keyed("k3", "3")];
    let first = append(&mut registry, "ledger", 1, &events);
    append(&mut registry, "ledger", 4, &[event("closed", "4")]);
    let again = append(&mut registry, "ledger", 1, &events);
    assert_eq!(again, Appended { repeated: true, ..first });
    assert_eq!(registry.view().stream_length("ledger").unwrap(), 5);
    let found = registry.view().event_with_key("k3").unwrap().unwrap();
    assert_eq!((found.position, found.payload.as_str()), (3, "3"));
    assert_eq!(registry.view().event_with_key("k9").unwrap(), None);
}

#[test]
fn a_key_stands_for_one_event() {
    let Fixture { mut registry, .. } = fixture();
    append(&mut registry, "ledger", 0, &[keyed("k1", "1"), keyed("k2", "2"), keyed("k3", "3")]);
    let check = |registry: &mut Registry, stream: &str, events: &[NewEvent]| {
        let mut session = registry.begin(meta(1)).unwrap();
        let error = session.append(stream, 3, events).unwrap_err();
        assert_eq!(error.code(), "key-reused", "{error}");
        assert_eq!(session.view().stream_length("ledger").unwrap(), 3);
    };
    check(&mut registry, "ledger", &[keyed("k1", "9")]);
    check(&mut registry, "other", &[keyed("k1", "1")]);
    check(&mut registry, "ledger", &[NewEvent { kind: "paid".into(), ..keyed("k1", "1") }]);
    // More than what was appended, or in another order, is no repetition.
    check(&mut registry, "ledger", &[keyed("k3", "3"), keyed("k4", "4")]);
    check(&mut registry, "ledger", &[keyed("k0", "0"), keyed("k1", "1")]);
    check(&mut registry, "ledger", &[keyed("k1", "1"), keyed("k3", "3")]);
    check(&mut registry, "ledger", &[keyed("k1", "1"), event("posted", "2")]);
    check(&mut registry, "ledger", &[keyed("k2", "2"), keyed("k1", "1")]);
}

#[test]
fn what_is_no_event_is_refused() {
    let Fixture { mut registry, .. } = fixture();
    let check = |registry: &mut Registry, stream: &str, events: &[NewEvent], word: &str| {
        let mut session = registry.begin(meta(1)).unwrap();
        let error = session.append(stream, 0, events).unwrap_err();
        assert_eq!(error.code(), "event-invalid");
        assert!(error.to_string().contains(word), "{error}");
    };
    check(&mut registry, "", &[event("a", "1")], "no name");
    check(&mut registry, "s", &[event("", "1")], "event 0 has no kind");
    check(&mut registry, "s", &[event("a", "1"), event("a", "{oops")], "the payload of event 1 is no JSON");
    check(&mut registry, "s", &[keyed("k", "1"), keyed("k", "2")], "the key of one before it");
}

#[test]
fn streams_are_found_by_prefix_page_by_page() {
    let Fixture { mut registry, .. } = fixture();
    for stream in ["case/2", "ledger", "case/10", "case/1", "cases", "case"] {
        append(&mut registry, stream, 0, &[event("a", "1"), event("b", "2")]);
    }
    let names = |prefix: &str, after: Option<&str>, limit: usize| -> Vec<String> {
        let heads = registry.view().streams(prefix, after, limit).unwrap();
        assert!(heads.iter().all(|head| head.length == 2 && head.last_recorded_at.unix_ms() == 1));
        heads.into_iter().map(|head| head.stream).collect()
    };
    assert_eq!(names("case/", None, 9), ["case/1", "case/10", "case/2"]);
    assert_eq!(names("case/", None, 2), ["case/1", "case/10"]);
    assert_eq!(names("case/", Some("case/10"), 2), ["case/2"]);
    assert_eq!(names("case/", Some("case/2"), 2), [""; 0]);
    assert_eq!(names("case/", Some("a"), 1), ["case/1"], "a page before the prefix is none");
    assert_eq!(names("", None, 9), ["case", "case/1", "case/10", "case/2", "cases", "ledger"]);
    assert_eq!(names("x", None, 9), [""; 0]);
    assert_eq!(registry.view().streams("ledger", None, 1).unwrap()[0].last_sequence, 4);
}

#[test]
fn records_and_events_stand_or_fall_together() {
    let Fixture { folder, program, mut registry } = fixture();
    let id = entity(&program, "household");
    let household = |income| record(vec![text("h1"), text("v1"), None, number(income), None]);
    let mut session = registry.begin(meta(1)).unwrap();
    session.upsert(id, fields(&program, id), &[household(1)]).unwrap();
    session.append("case/1", 0, &[event("opened", "1")]).unwrap();
    drop(session);
    assert_eq!(registry.view().count(id).unwrap(), 0);
    assert_eq!(registry.view().stream_length("case/1").unwrap(), 0);

    let mut session = registry.begin(meta(1)).unwrap();
    session.upsert(id, fields(&program, id), &[household(1)]).unwrap();
    session.append("case/1", 0, &[event("opened", "1")]).unwrap();
    let other = Registry::open(folder.path(), &program).unwrap();
    assert_eq!(other.view().stream_length("case/1").unwrap(), 0, "others see it when it is committed");
    session.commit().unwrap();
    assert_eq!(other.view().stream_length("case/1").unwrap(), 1);
    assert_eq!(other.view().count(id).unwrap(), 1);
    registry.check().unwrap();
}

#[test]
fn an_import_writes_no_events_and_events_no_changes() {
    let Fixture { program, mut registry, .. } = fixture();
    let (_, summary) =
        import(&mut registry, &program, 1, "household", vec![vec![text("h"), None, None, None, None]]);
    assert_eq!(summary.events, 0);
    append(&mut registry, "case/1", 0, &[event("opened", "1")]);
    assert_eq!(registry.imports().unwrap()[1].last_change, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Writers that lose replies and repeat themselves, and sessions that come to nothing: every stream is what
    /// was committed, once each, and the sequence has no gap.
    #[test]
    fn repeated_and_broken_appends_lose_and_double_nothing(
        steps in prop::collection::vec((0..3_u8, 1..4_usize, prop::bool::weighted(0.7), any::<bool>()), 1..24),
    ) {
        let Fixture { mut registry, .. } = fixture();
        let mut model: Vec<Vec<String>> = vec![Vec::new(); 3];
        let mut total = 0_u64;
        for (number, (stream, count, commit, repeat)) in steps.iter().enumerate() {
            let name = format!("case/{stream}");
            let events: Vec<NewEvent> =
                (0..*count).map(|index| keyed(&format!("{number}/{index}"), &format!("[{number},{index}]"))).collect();
            let expected = model[usize::from(*stream)].len() as u64;
            let mut session = registry.begin(meta(number as i64)).unwrap();
            session.append(&name, expected, &events).unwrap();
            if *commit {
                session.commit().unwrap();
                model[usize::from(*stream)].extend(events.iter().map(|event| event.payload.clone()));
                total += *count as u64;
                if *repeat {
                    prop_assert!(append(&mut registry, &name, expected, &events).repeated);
                }
            }
        }
        let view = registry.view();
        for (stream, payloads) in model.iter().enumerate() {
            let events = view.stream(&format!("case/{stream}"), 0, 1000).unwrap();
            prop_assert!(events.iter().map(|event| &event.payload).eq(payloads));
        }
        let all = view.events_after(0, 1000).unwrap();
        prop_assert!(all.iter().map(|event| event.sequence).eq(1..=total));
    }
}
