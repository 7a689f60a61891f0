//! Whatever is recorded in whatever order: the state is a replay of the log, now and at every moment.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::collections::BTreeMap;

use common::{Builder, entity, field, fields, meta, number, record, registry_id, text};
use pack::program::{ColumnId, Program, Value};
use proptest::prelude::*;
use store::{Moment, Outcome, Registry};

/// What one import does to record `key`.
#[derive(Clone, Debug)]
enum Step {
    /// All fields.
    Write(u8, Option<i8>, Option<bool>),
    /// The first field alone.
    Touch(u8, Option<i8>),
    Delete(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..5_u8;
    prop_oneof![
        3 => (key.clone(), any::<Option<i8>>(), any::<Option<bool>>()).prop_map(|(key, a, b)| Step::Write(key, a, b)),
        2 => (key.clone(), any::<Option<i8>>()).prop_map(|(key, a)| Step::Touch(key, a)),
        1 => key.prop_map(Step::Delete),
    ]
}

fn program() -> Program {
    Builder::new("p").entity("thing", None, &["a wide", "key text key", "b bool"]).0
}

type Values = Vec<Option<Value>>;
type State = BTreeMap<String, Values>;

fn value(a: Option<i8>) -> Option<Value> {
    // Half of the numbers are beyond 64 bits.
    a.and_then(|a| number(i128::from(a) << if a % 2 == 0 { 0 } else { 80 }))
}

/// Does one import, and tells the model of it what it should be.
fn run(registry: &mut Registry, program: &Program, at: i64, steps: &[Step], commit: bool, model: &mut State) {
    let id = entity(program, "thing");
    let narrow: [ColumnId; 2] = [field(program, id, "key"), field(program, id, "a")];
    let mut session = registry.begin(meta(at)).unwrap();
    let mut after = model.clone();
    for step in steps {
        let (columns, key, given): (&[ColumnId], String, Values) = match step {
            Step::Write(key, a, b) => {
                let key = format!("k{key}");
                let values = vec![value(*a), text(&key), b.map(Value::Bool)];
                (fields(program, id), key, values)
            }
            Step::Touch(key, a) => {
                let key = format!("k{key}");
                (&narrow, key.clone(), vec![text(&key), value(*a)])
            }
            Step::Delete(key) => {
                let key = format!("k{key}");
                if after.remove(&key).is_some() {
                    session.delete(id, &[key.as_str()]).unwrap();
                }
                continue;
            }
        };
        let before = after.get(&key).cloned();
        let mut values = before.clone().unwrap_or_else(|| vec![None, text(&key), None]);
        match given.len() {
            3 => values.clone_from(&given),
            _ => values[0].clone_from(&given[1]),
        }
        let outcome = session.upsert(id, columns, &[record(given)]).unwrap().remove(0);
        match before {
            None => assert_eq!(outcome, Outcome::Inserted),
            Some(before) if before == values => assert_eq!(outcome, Outcome::Unchanged),
            Some(_) => assert!(matches!(outcome, Outcome::Updated { .. })),
        }
        after.insert(key, values);
    }
    if commit {
        session.commit().unwrap();
        *model = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_a_replay_of_the_log_at_every_moment(
        imports in prop::collection::vec((prop::collection::vec(step(), 0..8), prop::bool::weighted(0.8)), 0..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let program = program();
        let id = entity(&program, "thing");
        let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
        let mut model = State::new();
        let mut moments = Vec::new();
        for (at, (steps, commit)) in (1..).zip(&imports) {
            run(&mut registry, &program, at, steps, *commit, &mut model);
            moments.push((at, model.clone()));
        }
        registry.check().unwrap();
        for key in (0..5).map(|key| format!("k{key}")) {
            let now = registry.view().record(id, &key).unwrap();
            prop_assert_eq!(now.map(|state| state.values), model.get(&key).cloned());
            for (at, model) in &moments {
                let then = registry.as_of(id, &key, Moment::from_unix_ms(*at)).unwrap();
                prop_assert_eq!(then.map(|state| state.values), model.get(&key).cloned());
            }
        }
        prop_assert_eq!(registry.view().count(id).unwrap(), model.len() as u64);
    }
}
