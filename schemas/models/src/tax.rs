//! Tax of persons, in sums of a year.

use covenant_domain::{FieldKind, Grade, SubjectKind, Theme};

use crate::{Cross, Model, ModelField as F, Rule};

const MOST_FEN: i64 = 10_000_000_000_000;

pub(crate) static TAX_SUMMARY: Model = Model {
    code: "tax-summary",
    version: 1,
    zh: "个人纳税摘要",
    en: "Tax summaries",
    about_zh: "个人上年度应税收入、已缴税额与欠税",
    about_en: "A person's taxable income, tax paid and tax in arrears in the last year",
    standard: "税收征收管理法; 个人所得税法",
    subject: SubjectKind::Resident,
    grade: Grade::Important,
    themes: &[Theme::Econ, Theme::Gove],
    keywords: &[("纳税", "tax"), ("欠税", "tax arrears"), ("收入", "income")],
    fields: &[
        F::personal("income_fen", "上年收入", "Income", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)),
        F::personal("paid_fen", "已缴税额", "Tax paid", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)),
        F::personal("arrears_fen", "欠税", "Tax arrears", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)),
        F::personal("provident_fen", "公积金月缴存", "Provident fund deposit", FieldKind::Integer)
            .rule(Rule::Range(0, MOST_FEN))
            .optional(),
        F::personal("tax_year", "年度", "Year", FieldKind::Integer).rule(Rule::Range(1950, 2199)).optional(),
        F::personal("period_from", "所属期起", "Period from", FieldKind::Date).optional(),
        F::personal("period_until", "所属期止", "Period until", FieldKind::Date).optional(),
    ],
    cross: &[Cross::AtMost("paid_fen", "income_fen"), Cross::InOrder("period_from", "period_until")],
};
