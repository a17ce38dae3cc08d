//! Housing provident fund of persons.

use covenant_domain::{FieldKind, Grade, SubjectKind, Theme};

use crate::{Cross, Model, ModelField as F, Rule};

const MOST_FEN: i64 = 1_000_000_000_000;

pub(crate) static PROVIDENT_FUND: Model = Model {
    code: "provident-fund",
    version: 1,
    zh: "住房公积金摘要",
    en: "Provident-fund summaries",
    about_zh: "个人住房公积金缴存基数、月缴存额、余额与贷款",
    about_en: "A person's housing provident fund: base, monthly deposit, balance and loan",
    standard: "住房公积金管理条例",
    subject: SubjectKind::Resident,
    grade: Grade::Important,
    themes: &[Theme::Soci, Theme::Econ],
    keywords: &[("公积金", "provident fund"), ("缴存", "deposit"), ("住房", "housing")],
    fields: &[
        F::personal("base_fen", "缴存基数", "Deposit base", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)),
        F::personal("provident_fen", "月缴存额", "Monthly deposit", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)),
        F::personal("balance_fen", "账户余额", "Balance", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)),
        F::personal("paid_months", "连续缴存月数", "Months paid without a gap", FieldKind::Integer)
            .rule(Rule::Range(0, 1_200)),
        F::personal("employer_code", "单位信用代码", "Employer", FieldKind::Text).rule(Rule::CreditCode).optional(),
        F::personal("opened_on", "开户日期", "Opened on", FieldKind::Date),
        F::personal("paid_until", "缴至日期", "Paid until", FieldKind::Date).optional(),
        F::personal("loan_fen", "公积金贷款余额", "Loan", FieldKind::Integer).rule(Rule::Range(0, MOST_FEN)).optional(),
    ],
    cross: &[Cross::AtMost("provident_fen", "base_fen"), Cross::InOrder("opened_on", "paid_until")],
};
