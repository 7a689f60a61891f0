//! Checks a pack folder: `cargo run -p pack --example check -- packs/sichuan-2015`.

use std::path::Path;

fn main() {
    let mut packs = Vec::new();
    for folder in std::env::args().skip(1) {
        let path = Path::new(&folder);
        let mut source = pack::PackSource {
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            files: Vec::new(),
        };
        for entry in std::fs::read_dir(path).expect("the folder can be read").flatten() {
            if entry.path().extension().is_some_and(|end| end == "toml") {
                let text = std::fs::read_to_string(entry.path()).expect("the file can be read");
                source.files.push((entry.file_name().to_string_lossy().into_owned(), text));
            }
        }
        packs.push(source);
    }
    match pack::compile(&packs, &[]) {
        Ok(program) => println!(
            "{} columns, {} rules, {} cases",
            program.columns.len(),
            program.rules.len(),
            program.cases.len()
        ),
        Err(failure) => println!("{}", failure.render(false)),
    }
}
