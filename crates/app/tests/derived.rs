//! Derived fields over a registry: computed with the snapshot, explained by their route, never imported.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::cases::cell;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use pack::program::Value;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use app::assess::{AssessOptions, Assessment, assess};
use app::explain::StoredRun;
use app::import::{ImportOptions, import};
use app::packs::Loaded;
use model::{Date, Lang};
use store::{Moment, Registry, RegistryId};

const PACK: &str = r#"
[pack]
id = "p"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31

[[clause]]
id = "11.5"
kind = "standard"
summary = { zh = "通路", en = "road" }

[[list]]
id = "road"
label = { zh = "等级", en = "class" }
codes = [{ code = "first", zh = "一级", en = "first" }, { code = "second", zh = "二级", en = "second" }]

[[entity]]
id = "region"
label = { zh = "州", en = "region" }
key = "code"
rows_max = 10
sheet = ["州"]
[[entity.field]]
id = "code"
label = { zh = "州编码", en = "region code" }
type = "text"
required = true
[[entity.field]]
id = "seat"
label = { zh = "州府节点", en = "region seat" }
type = "text"

[[entity]]
id = "district"
label = { zh = "县", en = "district" }
key = "code"
parent = { entity = "region", via = "region_code", required = true }
rows_max = 10
sheet = ["县"]
[[entity.field]]
id = "code"
label = { zh = "县编码", en = "district code" }
type = "text"
required = true
[[entity.field]]
id = "region_code"
label = { zh = "州编码", en = "region code" }
type = "text"
required = true
[[entity.field]]
id = "seat"
label = { zh = "县城节点", en = "seat" }
type = "text"
[[entity.field]]
id = "road_class"
label = { zh = "到州府的最好公路等级", en = "best road to the region's seat" }
type = "code(road)"
derived = { network = "roads", function = "best_worst_class", from = "seat", to = "region.seat" }
[[entity.field]]
id = "road_route"
label = { zh = "路线", en = "route" }
type = "text"
derived = { network = "roads", function = "route", from = "seat", to = "region.seat" }
[[entity.field]]
id = "segments_before"
label = { zh = "上期数", en = "before" }
type = "count"
range = [0, 100]
derived = { previous_run = "segments" }

[[entity]]
id = "node"
label = { zh = "节点", en = "node" }
key = "code"
parent = { entity = "district", via = "district_code", required = true }
rows_max = 100
sheet = ["节点"]
[[entity.field]]
id = "code"
label = { zh = "节点编码", en = "node code" }
type = "text"
required = true
[[entity.field]]
id = "district_code"
label = { zh = "县编码", en = "district code" }
type = "text"
required = true

[[entity]]
id = "segment"
label = { zh = "路段", en = "segment" }
key = "code"
parent = { entity = "node", via = "start_code", required = true }
refs = [{ name = "end", entity = "node", via = "end_code", required = true }]
rows_max = 100
sheet = ["路段"]
[[entity.field]]
id = "code"
label = { zh = "路段编码", en = "segment code" }
type = "text"
required = true
[[entity.field]]
id = "start_code"
label = { zh = "起点", en = "start" }
type = "text"
required = true
[[entity.field]]
id = "end_code"
label = { zh = "终点", en = "end" }
type = "text"
required = true
[[entity.field]]
id = "class"
label = { zh = "等级", en = "class" }
type = "code(road)"

[[network]]
id = "roads"
nodes = "node"
edges = "segment"
from = "node"
to = "end"
class = "class"

[[standard]]
id = "joined"
on = "district"
title = { zh = "公路连通", en = "joined by road" }
cite = ["11.5"]
holds = "road_class = 'first'"

[[variable]]
id = "segments"
on = "district"
title = { zh = "路段数", en = "segments" }
type = "count"
expr = "count(segment)"

[[variable]]
id = "segments_added"
on = "district"
title = { zh = "新增", en = "added" }
type = "count"
expr = "segments - segments_before"

[[scorecard]]
id = "card"
on = "node"
title = { zh = "考核", en = "card" }
cite = ["11.5"]
items = [{ id = "all", title = { zh = "路段", en = "segments" }, weight = 1, score = "count(segment)" }]
rank_within = "region"
"#;

fn day() -> Date {
    "2015-12-31".parse().unwrap()
}

struct Office {
    folder: tempfile::TempDir,
    pack: Loaded,
    registry: Registry,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("p")).unwrap();
        fs::write(folder.path().join("p/pack.toml"), PACK).unwrap();
        let pack = match app::packs::load(&folder.path().join("p"), &[], &[]) {
            Ok(pack) => pack,
            Err(app::packs::PackError::Mistakes(failure)) => panic!("{}", failure.render(false)),
            Err(error) => panic!("{error}"),
        };
        let registry = Registry::create(&folder.path().join("r"), &pack.program, RegistryId::from_random([1; 16])).unwrap();
        Self { folder, pack, registry }
    }

    fn import(&mut self, files: &[(&str, &str)]) {
        let files: Vec<PathBuf> = files
            .iter()
            .map(|(name, text)| {
                let path = self.folder.path().join(name);
                fs::write(&path, text).unwrap();
                path
            })
            .collect();
        let options = ImportOptions {
            actor: "tester".into(),
            now: Moment::from_unix_ms(1_451_980_800_000),
            as_of: day(),
            report: None,
            preview: false,
            progress: &|_| true,
        };
        import(&mut self.registry, &self.pack.program, &files, &options).unwrap();
    }

    fn assess(&self, name: &str, previous: Option<&Path>) -> Assessment {
        let options = AssessOptions {
            as_of: day(),
            out: app::assess::Out::Folder(self.folder.path().join(name)),
            previous: previous.map(Path::to_path_buf),
            threads: 1,
            memory_limit: None,
            workers: None,
            snapshot_files: None,
            timings: app::Timings::default(),
            progress: Arc::new(|_| {}),
        };
        assess(&self.registry, &self.pack, &options).unwrap()
    }
}

/// Recorded and computed columns of an entity in order of its key, as csv; unknown is empty.
fn table(run: &Path, entity: &str, columns: &str) -> String {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    let snapshot = run.join(manifest["snapshot"]["path"].as_str().unwrap());
    let read = |folder: &Path| {
        let file = File::open(folder.join(format!("{entity}.parquet"))).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        concat_batches(&schema, &batches).unwrap()
    };
    let (recorded, computed) = (read(&snapshot), read(run));
    let mut rows: Vec<String> = (0..recorded.num_rows())
        .map(|row| {
            let cells = columns.split(", ").map(|column| {
                let array = recorded.column_by_name(column).or_else(|| computed.column_by_name(column));
                match cell(array.unwrap(), row) {
                    None => String::new(),
                    Some(Value::Bool(value)) => value.to_string(),
                    Some(Value::Number(value)) => value.to_string(),
                    Some(Value::Date(value)) => value.to_string(),
                    Some(Value::Text(value)) => value,
                    Some(Value::Index(value)) => value.to_string(),
                }
            });
            cells.collect::<Vec<_>>().join(",")
        })
        .collect();
    rows.sort();
    format!("{}\n{}\n", columns.replace(", ", ","), rows.join("\n"))
}

fn districts(run: &Path, columns: &str) -> String {
    table(run, "district", columns)
}

#[test]
fn a_registry_s_network_an_earlier_run_and_ancestors_give_facts_to_a_run() {
    let mut office = Office::new();
    office.import(&[
        ("州.csv", "州编码,州府节点\nr,n1\n"),
        ("县.csv", "县编码,州编码,县城节点,到州府的最好公路等级,上期数\nd1,r,n1,二级,99\nd2,r,n2,一级,99\n"),
        ("节点.csv", "节点编码,县编码\nn1,d1\nn2,d2\nn3,d2\n"),
        ("路段.csv", "路段编码,起点,终点,等级\ns1,n2,n3,一级\ns2,n3,n1,二级\n"),
    ]);
    let first = office.assess("first", None);
    let known = districts(first.run.as_deref().unwrap(), "code, joined, segments, segments_added");
    assert_eq!(known, "code,joined,segments,segments_added\nd1,true,0,\nd2,false,2,\n");
    let ranks = table(first.run.as_deref().unwrap(), "node", "code, card, card_rank");
    assert_eq!(ranks, "code,card,card_rank\nn1,0,3\nn2,100,1\nn3,100,1\n");

    let stored = StoredRun::open(first.run.as_deref().unwrap()).unwrap();
    let program = &office.pack.program;
    let told = app::explain::explain(program, &stored, "district", "d2", Some("joined")).unwrap();
    let text: String = told.iter().map(|explanation| explanation.to_text(Lang::En)).collect();
    assert!(text.contains("s1 → s2"), "{text}");

    office.import(&[("路段.csv", "路段编码,起点,终点,等级\ns3,n2,n1,一级\n")]);
    let second = office.assess("second", first.run.as_deref());
    let known = districts(second.run.as_deref().unwrap(), "code, joined, segments, segments_added");
    assert_eq!(known, "code,joined,segments,segments_added\nd1,true,0,0\nd2,true,3,1\n");
}

#[test]
fn coverage_says_for_how_many_subjects_a_rule_has_results_in_a_run() {
    let mut office = Office::new();
    office.import(&[
        ("州.csv", "州编码,州府节点\nr,n1\n"),
        ("县.csv", "县编码,州编码,县城节点\nd1,r,n1\nd2,r,n2\nd3,r,\n"),
        ("节点.csv", "节点编码,县编码\nn1,d1\nn2,d2\n"),
        ("路段.csv", "路段编码,起点,终点,等级\ns1,n2,n1,一级\n"),
    ]);
    let run = office.assess("run", None).run;
    let program = &office.pack.program;
    let ran = app::coverage::in_run(program, run.as_deref().unwrap()).unwrap();
    let counts = |rule: &str| ran.get(rule).map(|ran| (ran.known, ran.subjects));
    assert_eq!(counts("joined"), Some((2, 3)));
    assert_eq!(counts("card"), Some((2, 2)));
    assert_eq!(counts("nothing"), None);

    let coverage = app::coverage::of(program);
    let text = coverage.to_text(program, Some(&ran), Lang::En);
    assert!(text.contains("joined: 2 of 3 subjects known"), "{text}");
    assert_eq!(coverage.to_json(Some(&ran))["clauses"][0]["ran"]["joined"]["known"], 2);
    let page = coverage.to_html(program, Some(&ran), Lang::Zh).unwrap();
    assert!(page.contains("3 个对象中 2 个有结果") && page.contains("已实现，无算例"), "{page}");
}
