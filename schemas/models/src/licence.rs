//! Electronic licences of any type.

use covenant_domain::{FieldKind, Grade, Level, Mode, SubjectKind, Theme};

use crate::{Cross, HOLDER_KINDS, LICENCE_STATUS, Model, ModelField as F, Rule};

const ALL: &[Mode] = &[Mode::Match, Mode::Detail, Mode::Submit];

pub(crate) static ELECTRONIC_LICENCE: Model = Model {
    code: "electronic-licence",
    version: 1,
    zh: "电子证照",
    en: "Electronic licences",
    about_zh: "电子证照元数据与证照文件",
    about_en: "Metadata of electronic licences, with their files",
    standard: "GB/T 36903-2018; GB/T 36904-2018",
    subject: SubjectKind::Resident,
    grade: Grade::Important,
    themes: &[Theme::Gove],
    keywords: &[("电子证照", "electronic licence"), ("证照标识", "licence identifier"), ("许可", "permit")],
    fields: &[
        F::plain("licence_id", "电子证照标识", "Licence identifier", FieldKind::Text)
            .rule(Rule::LicenceIdentifier)
            .modes(ALL),
        F::plain("type_name", "证照类型名称", "Name of the type", FieldKind::Text).rule(Rule::Chars(100)).modes(ALL),
        F::plain("type_code", "证照类型代码", "Code of the type", FieldKind::Text).rule(Rule::Chars(21)).modes(ALL),
        F::plain("licence_number", "证照编号", "Licence number", FieldKind::Text).rule(Rule::Chars(64)).modes(ALL),
        F::plain("issuer_name", "证照颁发机构", "Issuing authority", FieldKind::Text).rule(Rule::Chars(100)).modes(ALL),
        F::plain("issuer_code", "证照颁发机构代码", "Code of the authority", FieldKind::Text)
            .rule(Rule::CreditCode)
            .modes(ALL),
        F::plain("issued_on", "证照颁发日期", "Issued on", FieldKind::Date).modes(ALL),
        F::plain("valid_from", "有效期起始日期", "Valid from", FieldKind::Date).modes(ALL).optional(),
        F::plain("valid_until", "有效期截止日期", "Valid until", FieldKind::Date).modes(ALL).optional(),
        F::personal("holder_name", "持证主体", "Holder", FieldKind::Text).rule(Rule::Chars(100)).modes(ALL),
        F::plain("holder_kind", "持证主体类型", "Kind of holder", FieldKind::Text)
            .rule(Rule::Code(&HOLDER_KINDS))
            .modes(ALL)
            .level(Level::L1),
        F::plain("status", "证照状态", "Status", FieldKind::Text).rule(Rule::Code(&LICENCE_STATUS)).modes(ALL),
        F::plain("version_number", "版本号", "Version", FieldKind::Integer)
            .rule(Rule::Range(1, 999))
            .modes(ALL)
            .optional(),
        F::plain("licence_file", "证照文件", "Licence file", FieldKind::Document).modes(&[Mode::Submit]).optional(),
    ],
    cross: &[Cross::InOrder("valid_from", "valid_until"), Cross::InOrder("issued_on", "valid_until")],
};
