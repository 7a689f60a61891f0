//! Which packs a pack may lead to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use app::packs::{PackError, load};
use model::AsProblem as _;

/// A pack that extends others, in a folder of its own.
fn pack(folder: &Path, id: &str, extends: &[&str]) -> PathBuf {
    let at = folder.join(id);
    std::fs::create_dir_all(&at).unwrap();
    let text = format!(
        "[pack]\nid = \"{id}\"\nversion = \"1\"\ntitle = {{ zh = \"试\", en = \"test\" }}\nas_of = 2015-12-31\nextends = {extends:?}\n"
    );
    std::fs::write(at.join("pack.toml"), text).unwrap();
    at
}

#[test]
fn a_pack_extends_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    pack(folder.path(), "base", &[]);
    let county = pack(folder.path(), "county", &["base"]);
    assert_eq!(load(&county, &[], &[]).unwrap().program.info.id, "county");
}

#[test]
fn a_pack_does_not_lead_out_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let packs = folder.path().join("packs");
    let outside = pack(folder.path(), "elsewhere", &[]);
    for base in
        ["../elsewhere", "../../packs/elsewhere", ".", "..", "", "./near", "near/", outside.to_str().unwrap()]
    {
        pack(&packs, "near", &[]);
        let county = pack(&packs, "county", &[base]);
        let error = load(&county, &[], &[]).unwrap_err();
        assert!(matches!(error, PackError::BaseElsewhere { .. }), "{base}: {error}");
        assert!(error.problem().hint.is_some(), "{error}");
    }
}

#[test]
fn a_base_that_stands_elsewhere_is_named_by_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let base = pack(folder.path(), "base", &[]);
    let county = pack(&folder.path().join("county-packs"), "county", &["base"]);
    assert!(matches!(load(&county, &[], &[]).unwrap_err(), PackError::BaseMissing { .. }));
    assert_eq!(load(&base, &[county], &[]).unwrap().program.info.id, "county");
}
