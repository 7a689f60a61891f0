//! Roles: who can act in procedures.

use crate::compiler::Compiler;
use crate::declare::duplicate;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{EntityId, Role, RoleKind};
use crate::surface::{Table, Word};

impl Compiler<'_> {
    pub fn declare_role(&mut self, table: &Table<'_>) {
        let id = self.identifier(table);
        let label = table.require("label", table.bilingual("label"));
        let level = table.require("level", table.word("level"));
        let own = table.bool("own").unwrap_or(false);
        let kinds = RoleKind::ALL.map(|kind| (kind.as_str(), kind));
        let kind = self.choice(table, "kind", &kinds);
        table.finish();
        let (Some(id), Some(label), Some(level)) = (id, label, level) else { return };
        if let Some(known) = self.program.roles.iter().find(|role| role.id == id.text) {
            let place = known.span;
            self.report(duplicate("role", &id, place));
            return;
        }
        let entity = if level.text == "none" { None } else { self.program.entity_named(&level.text) };
        if entity.is_none() && level.text != "none" {
            let names: Vec<&str> = self.program.entities.iter().map(|entity| entity.name.as_str()).collect();
            let hint = did_you_mean(&level.text, names)
                .unwrap_or_else(|| "it is an entity of the pack, or `none`".to_owned());
            self.report(
                Diagnostic::new(
                    "role-held-by-nobody",
                    level.span,
                    format!("nobody holds the role `{}`: there is no entity `{}`", id.text, level.text),
                )
                .hint(hint),
            );
            return;
        }
        let division = |id: EntityId| self.program.entity(id).division.as_deref().unwrap_or("organisation");
        let kind = kind.unwrap_or_else(|| RoleKind::of_level(entity.map(division), own));
        self.program.roles.push(Role { id: id.text, label, level: entity, own, kind, span: table.span });
    }

    /// The role's id, if it is declared.
    pub fn role(&mut self, word: &Word) -> Option<String> {
        if self.program.roles.iter().any(|role| role.id == word.text) {
            return Some(word.text.clone());
        }
        let hint = did_you_mean(&word.text, self.program.roles.iter().map(|role| role.id.as_str()))
            .unwrap_or_else(|| "declare it: `[[role]] id, label, level`".to_owned());
        self.report(
            Diagnostic::new("unknown-role", word.span, format!("there is no role `{}`", word.text))
                .hint(hint),
        );
        None
    }
}
