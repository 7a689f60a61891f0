//! Rows a second of imports and snapshots, on invented records.
//!
//!     cargo run --release -p store --example throughput -- [PERSONS] [FOLDER] [sorted|shuffled|snapshot]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;
use std::time::Instant;

use common::{Builder, day, entity, fields, meta, number, registry_id, text};
use pack::program::{EntityId, Program, Value};
use store::{NewSource, Record, Registry};

const BATCH: usize = 2000;

fn program() -> Program {
    let household = ["number text key required", "village text required", "head text", "poor bool"];
    let counts = |prefix: &str, ty: &str, count: usize| -> Vec<String> {
        (0..count).map(|index| format!("{prefix}_{index} {ty}")).collect()
    };
    let person = ["citizen_number text key required", "household text required", "name text", "birth date"];
    let codes = counts("code", "code", 5);
    let flags = counts("flag", "bool", 4);
    let money = counts("money", "money", 7);
    let whole = |fixed: &[&'static str], rest: &[&[String]]| -> Vec<String> {
        let fixed = fixed.iter().map(|&field| field.to_owned());
        fixed.chain(rest.iter().flat_map(|part| part.iter().cloned())).collect()
    };
    let household = whole(&household, &[&codes, &flags, &money]);
    let person = whole(&person, &[&codes, &flags, &money]);
    let words = |fields: &[String]| -> Vec<&'static str> {
        fields.iter().map(|field| &*field.clone().leak()).collect()
    };
    Builder::new("bench")
        .entity("village", Some("village"), &["code text key required", "name text"])
        .entity("household", None, &words(&household))
        .entity("person", None, &words(&person))
        .edge("village", "household", "village", "village", "code", true)
        .edge("household", "person", "household", "household", "number", true)
        .0
}

fn facts(index: usize) -> impl Iterator<Item = Option<Value>> {
    let codes = ["ordinary", "skilled", "none", "小学", "初中"];
    let hash = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let codes = (0..5).map(move |code| text(codes[(hash >> (code * 3)) as usize % 5]));
    let flags = (0..4).map(move |flag| Some(Value::Bool(hash >> (20 + flag) & 1 == 1)));
    let money = (0..7).map(move |sum| {
        let fen = (hash >> (sum * 5)) % 5_000_000;
        if fen.is_multiple_of(11) { None } else { number(i128::from(fen)) }
    });
    codes.chain(flags).chain(money)
}

fn village(index: usize) -> Vec<Option<Value>> {
    vec![text(&format!("5133361{index:05}")), text("热斗村")]
}

fn household(index: usize) -> Vec<Option<Value>> {
    let number = text(&format!("51333610021{index:08}"));
    let village = text(&format!("5133361{:05}", index / 100));
    let mut values = vec![number, village, text("扎西"), Some(Value::Bool(index.is_multiple_of(3)))];
    values.extend(facts(index));
    values
}

fn person(index: usize) -> Vec<Option<Value>> {
    let number =
        text(&format!("{:018}", 510_000_000_000_000_000_u64 + (index as u64 * 7919) % 1_000_000_007));
    let household = text(&format!("51333610021{:08}", index / 4));
    let birth = day("1940-01-01").add_days((index % 27000) as i32).map(Value::Date);
    let mut values = vec![number, household, text("王小明"), birth];
    values.extend(facts(index + 1));
    values
}

/// Makes the values of a numbered record.
type Make = fn(usize) -> Vec<Option<Value>>;

/// Processor seconds of this process so far: what counts on a machine that others use too. Linux only.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = |index: usize| {
        after_name.split_whitespace().nth(index).and_then(|tick| tick.parse().ok()).unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn import(registry: &mut Registry, program: &Program, persons: usize, shuffled: bool, what: &str) {
    let start = Instant::now();
    let processor = processor_seconds();
    let mut making = 0.0;
    let mut session = registry.begin(meta(1_450_000_000_000)).expect("no one else writes");
    let source = NewSource::file("人.csv", String::new(), "00".repeat(32));
    let source = session.add_source(source).expect("the source is new");
    let parts: [(&str, usize, Make); 3] = [
        ("village", persons / 400 + 1, village),
        ("household", persons / 4, household),
        ("person", persons, person),
    ];
    let mut rows = 0;
    for (name, count, make) in parts {
        let id: EntityId = entity(program, name);
        for first in (0..count).step_by(BATCH) {
            let made = Instant::now();
            let batch: Vec<Record> = (first..count.min(first + BATCH))
                .map(|index| Record {
                    // 7919 is a prime: every record comes once, neighbours far apart.
                    values: make(if shuffled { index * 7919 % count } else { index }),
                    source: Some(source),
                    source_row: Some(index as u32 + 3),
                    ..Record::default()
                })
                .collect();
            making += made.elapsed().as_secs_f64();
            session.upsert(id, fields(program, id), &batch).expect("the records are well formed");
        }
        rows += count;
    }
    let before = Instant::now();
    let summary = session.commit().expect("the registry can be written");
    let (all, commit) = (start.elapsed().as_secs_f64(), before.elapsed().as_secs_f64());
    println!(
        "{what}: {rows} rows in {:.2} s without {making:.2} s of making them (commit {commit:.2} s): {:.0} rows/s; \
         processor {:.2} s with making; {} new, {} unchanged",
        all - making,
        rows as f64 / (all - making),
        processor_seconds() - processor,
        summary.inserted,
        summary.unchanged
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let persons = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of persons"));
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "/tmp/store-throughput".into()));
    let mode = arguments.next().unwrap_or_default();
    let program = program();
    let registry = if mode == "snapshot" {
        Registry::open(&folder, &program).expect("an earlier run has left its registry")
    } else {
        let _ = std::fs::remove_dir_all(&folder);
        let mut registry =
            Registry::create(&folder, &program, registry_id()).expect("the folder can be written");
        import(&mut registry, &program, persons, mode == "shuffled", "import");
        import(&mut registry, &program, persons, mode == "shuffled", "the same again");
        registry
    };
    for _ in 0..2 {
        let (start, processor) = (Instant::now(), processor_seconds());
        let summary = registry.snapshot(&folder.join("snapshot")).expect("the snapshot can be written");
        let (seconds, rows) =
            (start.elapsed().as_secs_f64(), summary.rows.iter().map(|(_, rows)| rows).sum::<u64>());
        println!(
            "snapshot: {rows} rows in {seconds:.2} s: {:.0} rows/s; processor {:.2} s; {}",
            rows as f64 / seconds,
            processor_seconds() - processor,
            summary.digest
        );
    }
    let bytes = std::fs::metadata(folder.join("registry.sqlite")).map_or(0, |file| file.len());
    println!("registry: {} MB", bytes / 1_000_000);
}
