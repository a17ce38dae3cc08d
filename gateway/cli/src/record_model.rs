//! `covenant record-model`: the record models that come with this build.

use clap::Subcommand;
use covenant_domain::{Dataset, DatasetId, MemberId};
use covenant_models::{CodeList, MODELS, Model, Rule, model};

use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::words;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordModelCommand {
    /// List the models
    List,
    /// Show a model with its fields, rules and code lists
    Show {
        /// Its code, for example `credit-record`
        code: String,
    },
    /// Print a dataset description that follows a model, for `covenant dataset publish`
    Dataset {
        /// Its code
        code: String,
        /// Id of the dataset
        #[arg(long)]
        id: DatasetId,
        /// Its holder
        #[arg(long)]
        holder: MemberId,
    },
}

/// Runs the command.
pub(crate) fn run(command: RecordModelCommand) -> Result<Document, CliError> {
    match command {
        RecordModelCommand::List => Ok(Document::new(listed(), &MODELS)),
        RecordModelCommand::Show { code } => {
            let model = known(&code)?;
            Ok(Document::new(shown(model), model))
        }
        RecordModelCommand::Dataset { code, id, holder } => {
            let dataset = described(known(&code)?, id, holder)?;
            let text = serde_json::to_string_pretty(&dataset).unwrap_or_default();
            Ok(Document::new(text, &dataset))
        }
    }
}

/// The model of this code.
pub(crate) fn known(code: &str) -> Result<&'static Model, CliError> {
    model(code).ok_or_else(|| {
        let there = words::list(MODELS.iter().map(|m| m.code));
        CliError::usage(format!("no record model `{}`: there are {there}", words::tame(code)))
    })
}

fn described(model: &Model, id: DatasetId, holder: MemberId) -> Result<Dataset, CliError> {
    model.dataset(id, holder).map_err(|e| CliError::usage(e.to_string()))
}

fn listed() -> String {
    let mut table = Table::new(["model", "version", "name", "subject", "fields", "standard"]);
    for model in MODELS {
        table.row([
            model.code.to_owned(),
            model.version.to_string(),
            format!("{} ({})", model.zh, model.en),
            model.subject.to_string(),
            model.fields.len().to_string(),
            model.standard.to_owned(),
        ]);
    }
    table.to_string()
}

fn shown(model: &Model) -> String {
    let mut table = Table::new(["field", "name", "kind", "level", "required", "rule"]);
    let mut lists: Vec<&CodeList> = Vec::new();
    for field in model.fields {
        if let Rule::Code(list) = field.rule {
            lists.push(list);
        }
        table.row([
            field.name.to_owned(),
            field.zh.to_owned(),
            words::name(&field.kind),
            words::name(&field.level),
            if field.required { "yes" } else { "" }.to_owned(),
            ruled(field.rule),
        ]);
    }
    let rules: Vec<_> = model.cross.iter().map(|rule| format!("  {rule:?}")).collect();
    let head = format!("{}: {} ({})\n{}\n{}", model.reference(), model.zh, model.en, model.about_zh, model.standard);
    let codes: String = lists.into_iter().map(code_list).collect();
    format!("{head}\n{table}\nover several fields:\n{}\n{codes}", rules.join("\n"))
}

fn ruled(rule: Rule) -> String {
    match rule {
        Rule::Any => String::new(),
        Rule::Chars(most) => format!("at most {most} characters"),
        Rule::Range(least, most) => format!("{least} to {most}"),
        Rule::Code(list) => format!("code of {}", list.code),
        Rule::CreditCode => "unified social credit code".into(),
        Rule::ResidentNumber => "resident number".into(),
        Rule::UnitNumber => "28-digit unit number".into(),
        Rule::LicenceIdentifier => "licence identifier".into(),
        Rule::Shares => "shares that add up to 100".into(),
    }
}

fn code_list(list: &CodeList) -> String {
    let mut table = Table::new(["code", "zh", "en"]);
    for entry in list.entries {
        table.row([entry.code.to_owned(), entry.zh.to_owned(), entry.en.to_owned()]);
    }
    format!("\n{}\n{table}", list.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_shown_with_their_codes_and_unknown_ones_named() {
        for model in MODELS {
            assert!(listed().contains(model.code));
            assert!(model.fields.iter().all(|f| shown(model).contains(f.name)), "{}", model.code);
        }
        assert!(shown(known("credit-record").unwrap()).contains("失信被执行人"));
        assert!(known("nothing").unwrap_err().to_string().contains("credit-record"));
    }
}
