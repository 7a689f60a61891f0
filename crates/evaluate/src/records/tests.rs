//! What is laid over records is read as if it were recorded.

use std::sync::Arc;

use pack::program::{ColumnId, Value};

use super::{
    Branch, ChangeKind, FactRecords, LayError, Overlay, Patch, RecordChange, Records, gather, needed,
};
use crate::interpret::build::{date, number, text};
use crate::interpret::sample::{Sample, incomes};
use crate::interpret::{Evaluator, Facts};

const PERSONS: [(&str, &str); 2] = [("1950-01-01", "none"), ("1980-01-01", "none")];

fn facts(sample: &Sample) -> Facts {
    sample.facts(&incomes(400_000, 0, 0), &PERSONS, &[("P1", "2015-03-01", 10_000)])
}

fn change(sample: &Sample, entity: &str, key: &str, fields: Option<&[(ColumnId, Value)]>) -> RecordChange {
    let entity = sample.program().entity_named(entity).unwrap();
    let fields =
        fields.map(|fields| fields.iter().map(|(column, value)| (*column, Some(value.clone()))).collect());
    RecordChange { entity, key: key.to_owned(), fields }
}

/// A result of the household, read by demand.
fn result<R: Records>(sample: &Sample, records: &R, name: &str) -> Option<Value>
where
    R::Error: std::fmt::Debug,
{
    let (program, column) = (sample.program(), sample.column(name));
    let found = needed(records, &[(column, 0)], &mut Branch::none(program), 100).unwrap().unwrap();
    let gathered = gather(records, found).unwrap();
    let row = gathered.place(sample.household, 0).unwrap();
    Evaluator::new(program, &gathered.facts, date("2015-12-31")).value(sample.household, row, column).unwrap()
}

#[test]
fn a_change_is_seen_by_whoever_reads_the_overlay_and_by_nobody_else() {
    let sample = Sample::new();
    let facts = facts(&sample);
    let base = FactRecords::new(sample.program(), &facts);
    let wages = sample.column("wages");
    let mut overlay = Overlay::new(base);
    overlay.change(&[change(&sample, "household", "H1", Some(&[(wages, number(570_998))]))]).unwrap();
    let plain = Overlay::new(base);
    assert_eq!(result(&sample, &overlay, "minimum_living_amount"), Some(number(0)));
    assert_eq!(result(&sample, &plain, "minimum_living_amount"), Some(number(80_000)));
    assert_eq!(result(&sample, &base, "minimum_living_amount"), Some(number(80_000)));
    assert_eq!(overlay.value(wages, 0), Ok(Some(number(570_998))));
    assert!(plain.patch().is_empty() && !overlay.patch().is_empty());
}

/// The field that is given; without one, the record goes.
type Given = Option<[(ColumnId, Value); 1]>;

#[test]
fn records_come_go_and_move() {
    let sample = Sample::new();
    let facts = facts(&sample);
    let base = FactRecords::new(sample.program(), &facts);
    let via = sample.program().edges[1].via;
    let child = |parent: &str| Some([(via, text(parent))]);
    let check = |what: &str, changes: &[(&str, Given)], members: Option<i128>| {
        let mut overlay = Overlay::new(base);
        for (key, fields) in changes {
            let fields = fields.as_ref().map(<[_; 1]>::as_slice);
            overlay.change(&[change(&sample, "person", key, fields)]).unwrap();
        }
        assert_eq!(result(&sample, &overlay, "members"), members.map(number), "{what}");
    };
    check("nothing", &[], Some(2));
    check("one more", &[("P9", child("H1"))], Some(3));
    check("one less", &[("P1", None)], Some(1));
    check("elsewhere", &[("P1", child("H7"))], Some(1));
    check("there and back", &[("P1", child("H7")), ("P1", child("H1"))], Some(2));
    check("gone and come again", &[("P1", None), ("P1", child("H1"))], Some(2));
    check("come and gone", &[("P9", child("H1")), ("P9", None)], Some(2));
}

#[test]
fn children_find_a_parent_of_the_name_they_give_when_it_comes() {
    let sample = Sample::new();
    let facts = facts(&sample);
    let base = FactRecords::new(sample.program(), &facts);
    let mut overlay = Overlay::new(base);
    overlay.change(&[change(&sample, "household", "H1", None)]).unwrap();
    assert_eq!(overlay.parents(pack::program::EdgeId(1), &[0, 1]), Ok(vec![None, None]));
    let layer = overlay.lay(&[change(&sample, "household", "H1", Some(&[]))]).unwrap();
    let kinds: Vec<ChangeKind> = layer.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Added, ChangeKind::Changed, ChangeKind::Changed]);
    overlay.absorb(layer.patch);
    let new = overlay.find(sample.program().entity(sample.household).key, "H1").unwrap().unwrap();
    assert_eq!(new, 1);
    assert_eq!(overlay.parents(pack::program::EdgeId(1), &[0, 1]), Ok(vec![Some(new), Some(new)]));
    assert_eq!(overlay.children(pack::program::EdgeId(1), &[new]), Ok(vec![(0, new), (1, new)]));
}

#[test]
fn what_cannot_be_laid_is_named_and_nothing_is_laid() {
    let sample = Sample::new();
    let facts = facts(&sample);
    let mut overlay = Overlay::new(FactRecords::new(sample.program(), &facts));
    let wages = sample.column("wages");
    let key = sample.program().entity(sample.household).key;
    let sound = change(&sample, "household", "H1", Some(&[(wages, number(1))]));
    let unknown = overlay.change(&[sound.clone(), change(&sample, "person", "P7", None)]);
    assert!(matches!(unknown, Err(LayError::Unknown { key, .. }) if key == "P7"));
    let other = overlay.change(&[sound, change(&sample, "household", "H1", Some(&[(key, text("H2"))]))]);
    assert!(matches!(other, Err(LayError::Key { key, .. }) if key == "H1"));
    assert!(overlay.patch().is_empty());
}

#[test]
fn many_overlays_share_one_base_and_are_kept_apart_from_it() {
    fn sent<T: Send + Sync + 'static>(kept: T) -> T {
        kept
    }
    let sample = Sample::new();
    let facts = facts(&sample);
    let base = Arc::new(Overlay::new(FactRecords::new(sample.program(), &facts)));
    let wages = sample.column("wages");
    let kept: Vec<Arc<Patch>> = (1..=3)
        .map(|user| {
            let mut own = Overlay::new(Arc::clone(&base));
            let fields = [(wages, number(400_000 + user))];
            own.change(&[change(&sample, "household", "H1", Some(&fields))]).unwrap();
            sent(own.into_patch())
        })
        .collect();
    std::thread::scope(|scope| {
        for (user, patch) in (1..).zip(kept) {
            let (base, sample) = (&base, &sample);
            scope.spawn(move || {
                let own = Overlay::with(Arc::clone(base), patch);
                let amount = 80_000 - 2 * ((user + 1) / 2);
                let found = result(sample, &own, "minimum_living_amount");
                assert!(matches!(found, Some(Value::Number(found)) if (found - amount).abs() <= 2), "{user}");
                assert_eq!(own.value(wages, 0), Ok(Some(number(400_000 + user))));
            });
        }
    });
    assert!(base.patch().is_empty());
}
