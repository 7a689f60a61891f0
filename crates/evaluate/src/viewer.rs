//! Who looks, and what is shown of a value: the one place where explanations, reports, reassessments, queries, lists and
//! notices ask whether a datum is masked.

use std::borrow::Cow;

use model::access::{Action, Actor, DataClass, HIDDEN, Subject, mask, may};
use model::{Lang, Text};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Type, Value};

use crate::explain::value_text;

/// Who looks at values of a program. Personal data of every type is closed unless the viewer is made to see its class.
#[derive(Clone, Debug)]
pub struct Viewer<'p> {
    program: &'p Program,
    /// By position in [`DataClass::ALL`].
    sees: [bool; DataClass::ALL.len()],
}

/// A value as a viewer may see it.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// As it is; `None` is unknown.
    Value(Option<Value>),
    /// What is left of it under its mask, in both languages.
    Masked(String),
}

impl Shown {
    /// The value, or its mask as a text: what takes the value's place wherever values are printed.
    pub fn into_value(self) -> Option<Value> {
        match self {
            Self::Value(value) => value,
            Self::Masked(text) => Some(Value::Text(text)),
        }
    }

    pub const fn is_masked(&self) -> bool {
        matches!(self, Self::Masked(_))
    }
}

impl<'p> Viewer<'p> {
    /// Sees what is not personal: whoever has shown no right to more.
    pub const fn masked(program: &'p Program) -> Self {
        let mut sees = [false; DataClass::ALL.len()];
        sees[DataClass::Open as usize] = true;
        Self { program, sees }
    }

    /// Sees everything. The caller has written down for whom and why.
    pub const fn unmasked(program: &'p Program) -> Self {
        Self { program, sees: [true; DataClass::ALL.len()] }
    }

    /// Sees the classes of which an actor may do something (look at, take out) with a subject.
    pub fn of(program: &'p Program, actor: &Actor, action: Action, subject: Subject<'_>) -> Self {
        let sees = DataClass::ALL.map(|class| may(actor, action, Subject { class, ..subject }).is_yes());
        Self { program, sees }
    }

    pub const fn program(&self) -> &'p Program {
        self.program
    }

    pub const fn sees(&self, class: DataClass) -> bool {
        self.sees[class as usize]
    }

    /// Whether values of a column are shown as they are.
    pub fn sees_column(&self, column: ColumnId) -> bool {
        self.sees(self.program.class(column))
    }

    /// What is shown of a value of a column.
    pub fn show(&self, column: ColumnId, value: Option<&Value>) -> Shown {
        self.show_as(self.program.class(column), &self.program.column(column).ty, value)
    }

    /// What is shown of a value of a class and type: of a text what [`mask`] leaves, of a date its year, of numbers,
    /// codes and answers nothing. Of health it is not shown either whether anything is recorded: for many fields that
    /// is the datum.
    pub fn show_as(&self, class: DataClass, ty: &Type, value: Option<&Value>) -> Shown {
        if self.sees(class) {
            return Shown::Value(value.cloned());
        }
        match (value, ty) {
            (_, _) if class == DataClass::Health => Shown::Masked(HIDDEN.to_owned()),
            (None, _) => Shown::Value(None),
            (Some(Value::Text(text)), Type::Text) => Shown::Masked(mask(text, class)),
            (Some(Value::Date(date)), _) => Shown::Masked(format!("{:04}", date.year())),
            (Some(_), _) => Shown::Masked(HIDDEN.to_owned()),
        }
    }

    /// A value of a column in words.
    pub fn text(&self, column: ColumnId, value: Option<&Value>, lang: Lang) -> String {
        let class = self.program.class(column);
        let ty = &self.program.column(column).ty;
        self.text_as(class, ty, value).get(lang).to_owned()
    }

    /// A value of a class and type in words, in both languages.
    pub fn text_as(&self, class: DataClass, ty: &Type, value: Option<&Value>) -> Text {
        match self.show_as(class, ty, value) {
            Shown::Masked(text) => Text::same(text),
            Shown::Value(value) => {
                let text = |lang| value_text(self.program, ty, value.as_ref(), lang);
                Text::new(text(Lang::Zh), text(Lang::En))
            }
        }
    }

    /// What is shown of a value of a column that was printed earlier, as [`value_text`] prints it.
    pub fn reprint(&self, column: ColumnId, printed: &str) -> String {
        let class = self.program.class(column);
        match &self.program.column(column).ty {
            _ if self.sees(class) => printed.to_owned(),
            _ if class == DataClass::Health => HIDDEN.to_owned(),
            Type::Text => mask(printed, class),
            Type::Date => printed.chars().take_while(|letter| *letter != '-').collect(),
            _ => HIDDEN.to_owned(),
        }
    }

    /// What is shown of the key of a record.
    pub fn key<'k>(&self, entity: EntityId, key: &'k str) -> Cow<'k, str> {
        let class = self.program.class(self.program.entity(entity).key);
        if self.sees(class) { Cow::Borrowed(key) } else { Cow::Owned(mask(key, class)) }
    }

    /// What is shown of the key of a record that is met along an edge, up or down. Where the reference itself is about
    /// health (a stay names its disease), who is joined to what is the datum, whatever the keys are.
    pub fn key_along<'k>(&self, edge: EdgeId, entity: EntityId, key: &'k str) -> Cow<'k, str> {
        let via = self.program.class(self.program.edge(edge).via);
        if via == DataClass::Health && !self.sees(via) {
            return Cow::Borrowed(HIDDEN);
        }
        self.key(entity, key)
    }
}
