//! What a pack says of money's ways: funds with their purposes, and the layouts of banks' files.
//!
//! Both are values of `model` that are read as they are declared; what is checked here is that they can be used.

use model::ledger::Fund;
use model::payment::BankLayout;
use serde::de::DeserializeOwned;

use crate::compiler::Compiler;
use crate::declare::duplicate;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::Span;
use crate::surface::{Table, Word};

/// What a fund is written with, where it cannot be read.
const FUND_HINT: &str = "a fund has `id`, `title = { zh, en }`, `purposes = [\"…\"]` and `cite = [\"7.1\"]`";
/// What a layout is written with, where it cannot be read.
const LAYOUT_HINT: &str = "a layout has `id`, `title`, `match_by`, `statuses`, and the files `payment` and `returns` with \
                           `encoding` and `columns = [{ field, title }]`";

impl Compiler<'_> {
    /// Funds: `[[fund]]` with `id`, `title`, `purposes` and `cite`.
    pub fn declare_funds(&mut self, tables: &[Table<'_>]) {
        let mut places: Vec<(String, Span)> = Vec::new();
        for table in tables {
            let Some(fund) = self.as_declared::<Fund>(table, "fund", FUND_HINT) else { continue };
            let unknown = fund.cite.iter().find(|id| !self.program.clauses.iter().any(|it| it.id == **id));
            if let Some(clause) = unknown {
                let names: Vec<String> = self.program.clauses.iter().map(|it| it.id.to_string()).collect();
                let near = did_you_mean(&clause.to_string(), names.iter().map(String::as_str));
                let message = format!("there is no clause `{clause}`");
                self.report(
                    Diagnostic::new("unknown-clause", table.span_of("cite"), message)
                        .hint("declare it: `[[clause]] id, kind, summary`")
                        .hint_opt(near),
                );
            }
            if fund.purposes.is_empty() {
                let message = format!("fund `{}` has no purpose", fund.id);
                self.report(
                    Diagnostic::new("fund-purpose", table.span_of("purposes"), message)
                        .hint("name what its money may be for: `purposes = [\"minimum-living\"]`"),
                );
            }
            if self.is_new("fund", fund.id.as_str(), table, &mut places) {
                self.program.fund_kinds.push(fund);
            }
        }
    }

    /// Layouts: `[[bank_layout]]`, as `model::payment::BankLayout` describes them.
    pub fn declare_bank_layouts(&mut self, tables: &[Table<'_>]) {
        let mut places: Vec<(String, Span)> = Vec::new();
        for table in tables {
            let read = self.as_declared::<BankLayout>(table, "bank layout", LAYOUT_HINT);
            let Some(layout) = read else { continue };
            for problem in layout.problems() {
                let message = format!("bank layout `{}`: {problem}", layout.id);
                let place = table.span_of(problem.key());
                self.report(Diagnostic::new("bank-layout", place, message).hint(problem.hint()));
            }
            if self.is_new("bank layout", layout.id.as_str(), table, &mut places) {
                self.program.bank_layouts.push(layout);
            }
        }
    }

    /// Whether money can be set apart from a fund: it is declared, where the pack declares any.
    pub fn check_fund_kind(&self, word: &Word) {
        let kinds = &self.program.fund_kinds;
        if kinds.is_empty() || kinds.iter().any(|fund| fund.id.as_str() == word.text) {
            return;
        }
        let near = did_you_mean(&word.text, kinds.iter().map(|fund| fund.id.as_str()));
        self.report(
            Diagnostic::new("unknown-fund", word.span, format!("no fund is called `{}`", word.text))
                .hint("declare it: `[[fund]] id, title, purposes, cite`")
                .hint_opt(near),
        );
    }

    /// Reports a name that is taken, with both places.
    fn is_new(&self, what: &str, id: &str, table: &Table<'_>, places: &mut Vec<(String, Span)>) -> bool {
        let place = table.span_of("id");
        if let Some((_, first)) = places.iter().find(|(known, _)| known == id) {
            let word = Word { text: id.to_owned(), span: place };
            let hint = "give each a name of its own, or drop one of them";
            self.report(duplicate(what, &word, *first).hint(hint));
            return false;
        }
        places.push((id.to_owned(), place));
        true
    }

    fn as_declared<T: DeserializeOwned>(&self, table: &Table<'_>, what: &str, hint: &str) -> Option<T> {
        match table.read() {
            Ok(value) => Some(value),
            Err((span, reason)) => {
                let message = format!("the {what} cannot be read: {reason}");
                self.report(Diagnostic::new("wrong-type", span, message).hint(hint));
                None
            }
        }
    }
}
