//! What a new registry starts with, and that a registry is made only if something comes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use app::packs::Loaded;
use app::registry::open_or_create;
use pack::program::{EntityId, Value};
use store::{Moment, Registry, RegistryId};

const PACK: &str = r#"
[pack]
id = "p"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31

[[entity]]
id = "district"
label = { zh = "区", en = "district" }
key = "code"
division = "province"
rows_max = 10
[[entity.field]]
id = "code"
label = { zh = "编码", en = "code" }
type = "text"
required = true
format = "division-code"
[[entity.field]]
id = "upland"
label = { zh = "是否山区", en = "upland" }
type = "bool"
form = "card"

[[entity]]
id = "bank"
label = { zh = "银行", en = "bank" }
key = "code"
rows_max = 10
[[entity.field]]
id = "code"
label = { zh = "行号", en = "bank code" }
type = "text"
required = true
[[entity.field]]
id = "branches"
label = { zh = "网点数", en = "branches" }
type = "count"
range = [0, 1000]
form = "card"

[[seed]]
entity = "district"
file = "data/upland.csv"
[[seed]]
entity = "bank"
file = "data/banks.csv"
"#;

fn id() -> RegistryId {
    RegistryId::from_random([1; 16])
}

fn now() -> Moment {
    Moment::from_unix_ms(1_451_980_800_000)
}

/// A pack with its data, `name` replaced by `text`.
fn pack_with(folder: &Path, name: &str, text: &str) -> Loaded {
    let data = folder.join("p/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(folder.join("p/pack.toml"), PACK).unwrap();
    fs::write(data.join("divisions.csv"), "code,parent,level,name\n51,,province,四川省\n").unwrap();
    fs::write(data.join("upland.csv"), "code,是否山区,note\n510000000000,true,x\n").unwrap();
    fs::write(data.join("banks.csv"), "行号,网点数\nb1,12\n").unwrap();
    fs::write(data.join(name), text).unwrap();
    app::packs::load(&folder.join("p"), &[], &[]).unwrap()
}

fn made(folder: &Path, pack: &Loaded) -> Result<Registry, String> {
    let place = folder.join("r");
    let opened = open_or_create(&place, pack, now(), id()).map_err(|error| error.to_string())?;
    opened.keep().map_err(|error| error.to_string())?;
    Ok(app::registry::open(&place, &pack.program).unwrap())
}

fn values(registry: &Registry, pack: &Loaded, entity: &str, key: &str) -> Option<Vec<Option<Value>>> {
    let id = pack.program.entities.iter().position(|known| known.name == entity).unwrap();
    registry.view().record(EntityId(id as u32), key).unwrap().map(|state| state.values)
}

#[test]
fn a_registry_starts_with_the_records_that_the_pack_declares() {
    let folder = tempfile::tempdir().unwrap();
    let pack = pack_with(folder.path(), "banks.csv", "行号,网点数\nb1,12\nb2,3\n");
    let registry = made(folder.path(), &pack).unwrap();
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let district = values(&registry, &pack, "district", "510000000000");
    assert_eq!(district, Some(vec![text("510000000000"), Some(Value::Bool(true))]));
    assert_eq!(values(&registry, &pack, "bank", "b2"), Some(vec![text("b2"), Some(Value::Number(3))]));
    let names: Vec<_> =
        fs::read_dir(folder.path().join("r")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name.to_string_lossy().starts_with("registry.sqlite")), "{names:?}");
}

#[test]
fn a_fault_in_what_the_pack_ships_is_told_and_makes_no_registry() {
    for (name, text, told) in [
        ("banks.csv", "行号,网点数\nb1,many\n", "`banks.csv`, which the pack ships, row 2: "),
        ("banks.csv", "行号,网点数\nb1,9999\n", "row 2: "),
        (
            "upland.csv",
            "code,是否山区\n520000000000,true\n",
            "the list of divisions has no district `520000000000`",
        ),
        ("upland.csv", "是否山区\ntrue\n", "`upland.csv`"),
        ("divisions.csv", "code,name\n", "line 1 of the list of divisions"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pack = pack_with(folder.path(), name, text);
        let error = made(folder.path(), &pack).err().expect(text);
        assert!(error.contains(told), "{error}");
        assert!(!folder.path().join("r").exists(), "{text}");
    }
}

#[test]
fn a_county_pack_takes_divisions_and_records_from_the_pack_it_extends() {
    let folder = tempfile::tempdir().unwrap();
    pack_with(folder.path(), "banks.csv", "行号,网点数\nb1,12\n");
    let county = folder.path().join("county");
    fs::create_dir(&county).unwrap();
    fs::write(
        county.join("pack.toml"),
        "[pack]\nid = \"county\"\nversion = \"1\"\ntitle = { zh = \"县\", en = \"county\" }\nextends = [\"p\"]\n",
    )
    .unwrap();
    let pack = app::packs::load(&county, &[], &[]).unwrap();
    let registry = made(folder.path(), &pack).unwrap();
    assert!(values(&registry, &pack, "bank", "b1").is_some());
    assert!(values(&registry, &pack, "district", "510000000000").is_some());
}

#[test]
fn a_new_registry_that_is_not_kept_leaves_nothing_and_one_at_a_time_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let pack = pack_with(folder.path(), "banks.csv", "行号,网点数\nb1,12\n");
    let place: PathBuf = folder.path().join("a/b/r");
    let first = open_or_create(&place, &pack, now(), id()).unwrap();
    assert!(first.is_new());
    let second = open_or_create(&place, &pack, now(), id()).err().unwrap().to_string();
    assert!(second.contains("another process is writing"), "{second}");
    drop(first);
    assert!(!folder.path().join("a").exists());

    // What a killed import leaves behind does not hinder the next one, and is no registry.
    fs::create_dir_all(place.join(".building")).unwrap();
    fs::write(place.join(".building/registry.sqlite"), "half").unwrap();
    assert!(!Registry::exists(&place));
    open_or_create(&place, &pack, now(), id()).unwrap().keep().unwrap();
    assert!(Registry::exists(&place));
    assert!(!place.join(".building").exists());
    assert!(!open_or_create(&place, &pack, now(), id()).unwrap().is_new());
}

#[test]
fn the_shipped_pack_knows_its_autonomous_prefectures_and_poor_counties() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015");
    let pack = app::packs::load(&shipped, &[], &[]).unwrap();
    let registry = made(folder.path(), &pack).unwrap();
    let flags = |entity, key| {
        let values = values(&registry, &pack, entity, key).unwrap();
        values.iter().filter(|value| **value == Some(Value::Bool(true))).count()
    };
    assert_eq!((flags("prefecture", "513300000000"), flags("prefecture", "510100000000")), (1, 0));
    // Poor and autonomous, poor alone, neither.
    let of_county = |key| flags("county", key);
    assert_eq!(["513336000000", "510522000000", "510104000000"].map(of_county), [2, 1, 0]);
    let area = Some(Value::Text("wumeng".to_owned()));
    assert!(values(&registry, &pack, "county", "510522000000").unwrap().contains(&area));
}
