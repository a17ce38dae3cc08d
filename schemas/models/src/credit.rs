//! Credit records of persons.

use covenant_domain::{FieldKind, Grade, Level, Mode, SubjectKind, Theme};

use crate::{BLACKLIST_TYPES, Cross, FIVE_CLASSES, Model, ModelField as F, Rule};

const PRIVATE: &[Mode] = &[Mode::Match, Mode::Lookup, Mode::Detail];
const MOST_FEN: i64 = 10_000_000_000_000;

pub(crate) static CREDIT_RECORD: Model = Model {
    code: "credit-record",
    version: 1,
    zh: "个人信用记录摘要",
    en: "Credit records",
    about_zh: "个人贷款逾期、授信、负债、违约与黑名单类型的摘要",
    about_en: "Summary of a person's overdue payments, limits, debts, defaults and type of blacklist entry",
    standard: "征信业管理条例; 贷款风险分类指引",
    subject: SubjectKind::Resident,
    grade: Grade::Core,
    themes: &[Theme::Econ],
    keywords: &[
        ("征信", "credit reporting"),
        ("逾期", "overdue payment"),
        ("黑名单", "blacklist"),
        ("授信", "credit limit"),
    ],
    fields: &[
        F::personal("overdue_24m", "近24月逾期次数", "Overdue in 24 months", FieldKind::Integer)
            .rule(Rule::Range(0, 10_000))
            .modes(PRIVATE)
            .level(Level::L4),
        F::personal("overdue_90d", "逾期90天以上次数", "Overdue by more than 90 days", FieldKind::Integer)
            .rule(Rule::Range(0, 10_000))
            .modes(PRIVATE)
            .level(Level::L4)
            .optional(),
        F::personal("open_loans", "未结清贷款笔数", "Open loans", FieldKind::Integer)
            .rule(Rule::Range(0, 10_000))
            .level(Level::L4),
        F::personal("limit_fen", "授信总额", "Credit limits", FieldKind::Integer)
            .rule(Rule::Range(0, MOST_FEN))
            .level(Level::L4),
        F::personal("balance_fen", "负债余额", "Balance owed", FieldKind::Integer)
            .rule(Rule::Range(0, MOST_FEN))
            .modes(PRIVATE)
            .level(Level::L4),
        F::personal("defaulted", "是否违约", "In default", FieldKind::Boolean).modes(PRIVATE).level(Level::L4),
        F::personal("loan_class", "贷款五级分类", "Worst loan class", FieldKind::Text)
            .rule(Rule::Code(&FIVE_CLASSES))
            .level(Level::L4)
            .optional(),
        F::personal("blacklist_code", "黑名单类型", "Blacklist type", FieldKind::Text)
            .rule(Rule::Code(&BLACKLIST_TYPES))
            .level(Level::L4)
            .optional(),
        F::personal("blacklisted_on", "列入日期", "Blacklisted on", FieldKind::Date).level(Level::L4).optional(),
        F::personal("delisted_on", "移出日期", "Taken off on", FieldKind::Date).level(Level::L4).optional(),
    ],
    cross: &[
        Cross::AtMost("overdue_90d", "overdue_24m"),
        Cross::InOrder("blacklisted_on", "delisted_on"),
        Cross::Together("blacklist_code", "blacklisted_on"),
    ],
};
