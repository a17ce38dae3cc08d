//! Tells steps as they happen, and keeps them for the document.

use std::time::Instant;

use covenant_demo::Line;
use serde::Serialize;

use crate::demo::Lang;
use crate::error::CliError;
use crate::print::Printer;
use crate::words::tame;

/// A numbered step.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    number: usize,
    title: String,
    details: Vec<Detail>,
}

/// Something that was done in it.
#[derive(Debug, Clone, Serialize)]
struct Detail {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u128>,
}

/// Tells in one language.
#[derive(Debug)]
pub(crate) struct Teller {
    printer: Printer,
    lang: Lang,
    steps: Vec<Step>,
}

impl Teller {
    /// Nothing told yet.
    pub(crate) fn new(printer: Printer, lang: Lang) -> Self {
        Self { printer, lang, steps: Vec::new() }
    }

    /// Opens a step.
    pub(crate) fn open(&mut self, zh: &str, en: &str) {
        self.tell(Line { opens: true, zh: zh.into(), en: en.into(), took_ms: None });
    }

    /// Tells what was done since `began`.
    pub(crate) fn say(&mut self, began: Instant, zh: impl Into<String>, en: impl Into<String>) {
        let took_ms = Some(began.elapsed().as_millis());
        self.tell(Line { opens: false, zh: zh.into(), en: en.into(), took_ms });
    }

    /// Tells a line.
    pub(crate) fn tell(&mut self, line: Line) {
        let Line { opens, zh, en, took_ms } = line;
        let text = tame(if self.lang == Lang::Zh { &zh } else { &en });
        if opens {
            let number = self.steps.len() + 1;
            let gap = if number == 1 { "" } else { "\n" };
            self.printer.progress(&format!("{gap}{number}. {text}"));
            self.steps.push(Step { number, title: text, details: Vec::new() });
            return;
        }
        let detail = Detail { text, took_ms };
        self.printer.progress(&shown(&detail));
        if let Some(step) = self.steps.last_mut() {
            step.details.push(detail);
        }
    }

    /// Names the step in which something failed.
    pub(crate) fn failed(&self, error: CliError) -> CliError {
        let Some(Step { number, title, .. }) = self.steps.last() else { return error };
        // What was typed is wrong, or somebody stopped it: not the step.
        if matches!(error, CliError::Usage(_) | CliError::Interrupted) {
            return error;
        }
        self.printer.progress("   ✗");
        CliError::Step { number: *number, title: title.clone(), source: Box::new(error) }
    }

    /// What was told.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

fn shown(detail: &Detail) -> String {
    let took = detail.took_ms.map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
    format!("   ✓ {}{took}", detail.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_demo::DemoError;

    #[test]
    fn steps_are_numbered_in_the_chosen_language_and_named_when_they_fail() {
        let mut teller = Teller::new(Printer::new(true), Lang::Zh);
        teller.open("一", "one");
        teller.open("二", "two");
        teller.tell(Line { opens: false, zh: "好".into(), en: "good".into(), took_ms: Some(12) });
        let step = teller.steps().last().unwrap();
        assert_eq!((step.number, step.title.as_str()), (2, "二"));
        assert_eq!(shown(&step.details[0]), "   ✓ 好 (12 ms)");
        let error = teller.failed(DemoError::story("licence", "no document came").into());
        assert_eq!(error.causes(), ["step 2, `二`, failed", "licence: no document came"]);
    }
}
