//! What a pack says of money's ways: funds with their purposes, and the layouts of banks' files.
//!
//! Both are values of `model` that are read as they are declared; what is checked here is that they can be used.

use model::ledger::Fund;
use model::payment::BankLayout;
use serde::de::DeserializeOwned;

use crate::compiler::Compiler;
use crate::diagnostic::Diagnostic;
use crate::surface::Table;

impl Compiler<'_> {
    /// Funds: `[[fund]]` with `id`, `title`, `purposes` and `cite`.
    pub fn declare_funds(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            let Some(fund) = self.as_declared::<Fund>(table, "fund") else { continue };
            let unknown = fund.cite.iter().find(|id| !self.program.clauses.iter().any(|it| it.id == **id));
            if let Some(clause) = unknown {
                let message = format!("there is no clause `{clause}`");
                self.report(Diagnostic::new("unknown-clause", table.span_of("cite"), message));
            }
            if fund.purposes.is_empty() {
                let message = format!("fund `{}` has no purpose", fund.id);
                self.report(
                    Diagnostic::new("fund-purpose", table.span, message)
                        .hint("name what its money may be for: `purposes = [\"minimum-living\"]`"),
                );
            }
            if self.program.fund_kinds.iter().any(|known| known.id == fund.id) {
                let message = format!("two funds are called `{}`", fund.id);
                self.report(Diagnostic::new("duplicate-name", table.span_of("id"), message));
                continue;
            }
            self.program.fund_kinds.push(fund);
        }
    }

    /// Layouts: `[[bank_layout]]`, as `model::payment::BankLayout` describes them.
    pub fn declare_bank_layouts(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            let Some(layout) = self.as_declared::<BankLayout>(table, "bank layout") else { continue };
            for problem in layout.problems() {
                let message = format!("bank layout `{}`: {problem}", layout.id);
                self.report(Diagnostic::new("bank-layout", table.span, message));
            }
            if self.program.bank_layouts.iter().any(|known| known.id == layout.id) {
                let message = format!("two bank layouts are called `{}`", layout.id);
                self.report(Diagnostic::new("duplicate-name", table.span_of("id"), message));
                continue;
            }
            self.program.bank_layouts.push(layout);
        }
    }

    fn as_declared<T: DeserializeOwned>(&self, table: &Table<'_>, what: &str) -> Option<T> {
        match table.read() {
            Ok(value) => Some(value),
            Err((span, reason)) => {
                let message = format!("the {what} cannot be read: {reason}");
                self.report(Diagnostic::new("wrong-type", span, message));
                None
            }
        }
    }
}
