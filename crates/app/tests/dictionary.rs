//! The reference of a pack can be read in both languages, on a wide page and on a narrow one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

#[test]
fn both_pages_lead_to_one_another_and_label_every_cell() {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015");
    let program = app::packs::load(&pack, &[], &[]).unwrap().program;
    let folder = tempfile::tempdir().unwrap();
    app::dictionary::write(&program, folder.path()).unwrap();
    for (name, other, label, level, kind) in [
        ("index.html", "index.en.html", "名称", "一级：100.00 元", "待遇"),
        ("index.en.html", "index.html", "label", ": 100.00 yuan", "benefit"),
    ] {
        let page = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains(&format!("href=\"{other}\"")), "{name}");
        assert_eq!(page.matches("<td").count(), page.matches("<td data-label=").count(), "{name}");
        for text in [format!("data-label=\"{label}\""), level.to_owned(), format!(">{kind}</td>")] {
            assert!(page.contains(&text), "{name} {text}");
        }
    }
}
