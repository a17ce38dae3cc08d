//! Business licences.

use covenant_domain::{FieldKind, Grade, Level, Mode, SubjectKind, Theme};

use crate::{BUSINESS_STATUS, Cross, Model, ModelField as F, Rule};

const ALL: &[Mode] = &[Mode::Match, Mode::Detail, Mode::Submit];
/// A billion yuan in fen, ten thousand times over: no registered capital is larger.
const MOST_FEN: i64 = 1_000_000_000_000_000;

pub(crate) static BUSINESS_LICENCE: Model = Model {
    code: "business-licence",
    version: 1,
    zh: "营业执照",
    en: "Business licences",
    about_zh: "市场主体登记事项与电子营业执照",
    about_en: "Registered particulars of businesses, with the electronic business licence",
    standard: "市场主体登记管理条例; GB 32100",
    subject: SubjectKind::Company,
    grade: Grade::Important,
    themes: &[Theme::Econ, Theme::Gove],
    keywords: &[
        ("营业执照", "business licence"),
        ("市场主体", "business entity"),
        ("企业登记", "company registration"),
    ],
    fields: &[
        F::plain("company_name", "名称", "Company name", FieldKind::Text).rule(Rule::Chars(200)).modes(ALL),
        F::plain("credit_code", "统一社会信用代码", "Unified social credit code", FieldKind::Text)
            .rule(Rule::CreditCode)
            .modes(ALL)
            .optional(),
        F::plain("company_type", "类型", "Type of company", FieldKind::Text)
            .rule(Rule::Chars(100))
            .modes(ALL)
            .optional(),
        F::personal("representative", "法定代表人", "Legal representative", FieldKind::Text)
            .rule(Rule::Chars(100))
            .modes(ALL)
            .level(Level::L2),
        F::plain("capital_fen", "注册资本", "Registered capital", FieldKind::Integer)
            .rule(Rule::Range(0, MOST_FEN))
            .modes(ALL),
        F::plain("address", "住所", "Address", FieldKind::Text).rule(Rule::Chars(300)).modes(ALL),
        F::plain("scope", "经营范围", "Business scope", FieldKind::Text).rule(Rule::Chars(4_000)).modes(ALL).optional(),
        F::plain("licence_number", "执照编号", "Licence number", FieldKind::Text).rule(Rule::Chars(32)).modes(ALL),
        F::plain("issued_on", "成立日期", "Issued on", FieldKind::Date).modes(ALL),
        F::plain("expires_on", "营业期限至", "Expires on", FieldKind::Date).modes(ALL).optional(),
        F::plain("status", "经营状态", "Status", FieldKind::Text).rule(Rule::Code(&BUSINESS_STATUS)).modes(ALL),
        F::plain("registry", "登记机关", "Registry", FieldKind::Text).rule(Rule::Chars(200)).modes(ALL).optional(),
        F::plain("licence_file", "电子证照", "Licence file", FieldKind::Document).modes(&[Mode::Submit]).optional(),
    ],
    cross: &[Cross::InOrder("issued_on", "expires_on")],
};
