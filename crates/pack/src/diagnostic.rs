//! What the compiler has to say: a stable code, a message, the places, and how to mend it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::program::{SourceFile, Span};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// Lower case, values in backticks.
    pub message: String,
    /// The first is where the mistake is; the others explain it.
    pub labels: Vec<(Span, String)>,
    pub hint: Option<String>,
}

impl Diagnostic {
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: vec![(span, String::new())], hint: None }
    }

    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.labels[0].1 = text.into();
        self
    }

    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }

    #[must_use]
    pub fn hint_opt(mut self, text: Option<String>) -> Self {
        self.hint = text.or(self.hint);
        self
    }

    /// Line (from 1) and column (from 1, in characters) of the main place.
    pub fn position(&self, files: &[SourceFile]) -> (u32, u32) {
        let span = self.labels[0].0;
        let Some(file) = files.get(span.file as usize) else { return (1, 1) };
        let end = floor_char(&file.text, span.start as usize);
        let before = &file.text[..end];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) as u32 + 1;
        (line, column)
    }

    /// The message with file, line, source lines, carets and hint.
    pub fn render(&self, files: &[SourceFile], colour: bool) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()).id(self.code));
        let mut by_file: Vec<(u32, Vec<Numbered<'_>>)> = Vec::new();
        for (number, label) in self.labels.iter().enumerate() {
            match by_file.iter_mut().find(|(file, _)| *file == label.0.file) {
                Some((_, list)) => list.push((number, label)),
                None => by_file.push((label.0.file, vec![(number, label)])),
            }
        }
        for (file, labels) in by_file {
            let Some(source) = files.get(file as usize) else { continue };
            let mut snippet = Snippet::source(source.text.as_str()).path(source.name.as_str()).fold(true);
            for (number, (span, text)) in labels {
                let start = floor_char(&source.text, span.start as usize);
                let end = floor_char(&source.text, span.end as usize).max(start);
                let kind = if number == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let annotation = kind.span(start..end);
                snippet = snippet.annotation(if text.is_empty() {
                    annotation
                } else {
                    annotation.label(text.as_str())
                });
            }
            group = group.element(snippet);
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// A label with its place in the order of a diagnostic's labels.
type Numbered<'l> = (usize, &'l (Span, String));

fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The nearest of `names` to `name`, if any is near enough to be meant.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let limit = (name.chars().count() / 3).max(1) + 1;
    names
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < name.chars().count().max(candidate.chars().count())
        })
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// `did you mean ...?` for [`nearest`].
pub fn did_you_mean<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, names).map(|near| format!("did you mean `{near}`?"))
}
