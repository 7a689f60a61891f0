//! Files of the pack that a new registry starts with.

use std::path::{Component, Path};

use crate::compiler::Compiler;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::Seed;
use crate::surface::Table;

impl Compiler<'_> {
    pub fn declare_seed(&mut self, pack: &str, table: &Table<'_>) {
        let entity = table.require("entity", table.word("entity"));
        let file = table.require("file", table.word("file"));
        table.finish();
        let (Some(entity), Some(file)) = (entity, file) else { return };
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        if !Path::new(&file.text).components().all(inside) {
            self.report(
                Diagnostic::new(
                    "seed-outside",
                    file.span,
                    format!("`{}` is not a file inside the pack's folder", file.text),
                )
                .hint("write its path from there, like `data/counties.csv`"),
            );
            return;
        }
        let Some(id) = self.program.entity_named(&entity.text) else {
            let names: Vec<&str> = self.program.entities.iter().map(|entity| entity.name.as_str()).collect();
            let hint = did_you_mean(&entity.text, names);
            let message = format!("there is no entity `{}`", entity.text);
            self.report(Diagnostic::new("unknown-entity", entity.span, message).hint_opt(hint));
            return;
        };
        self.program.seeds.push(Seed { entity: id, pack: pack.to_owned(), file: file.text });
    }
}
