//! Rights in real estate, one record for each owner of a unit.

use covenant_domain::{FieldKind, Grade, Level, SubjectKind, Theme};

use crate::{Cross, Model, ModelField as F, RIGHT_KINDS, Rule};

const MOST_FEN: i64 = 1_000_000_000_000_000;

pub(crate) static REAL_ESTATE_RIGHT: Model = Model {
    code: "real-estate-right",
    version: 1,
    zh: "不动产权利",
    en: "Real-estate rights",
    about_zh: "不动产登记簿中的权利人、份额、面积、抵押与查封",
    about_en: "Owners, shares, areas, mortgages and seizures in the real-estate register",
    standard: "不动产登记暂行条例; GB/T 37346-2019",
    subject: SubjectKind::Resident,
    grade: Grade::Important,
    themes: &[Theme::Gove, Theme::Regi],
    keywords: &[("不动产", "real estate"), ("抵押", "mortgage"), ("查封", "seizure"), ("产权", "ownership")],
    fields: &[
        F::personal("owner_name", "权利人", "Owner", FieldKind::Text).rule(Rule::Chars(100)),
        F::personal("address", "坐落", "Address", FieldKind::Text).rule(Rule::Chars(300)),
        F::personal("unit_number", "不动产单元号", "Unit number", FieldKind::Text).rule(Rule::UnitNumber),
        F::personal("certificate", "不动产权证号", "Certificate", FieldKind::Text).rule(Rule::Chars(64)),
        F::personal("right_kind", "权利类型", "Kind of right", FieldKind::Text)
            .rule(Rule::Code(&RIGHT_KINDS))
            .optional(),
        F::personal("area_cm2", "面积", "Floor area", FieldKind::Integer).rule(Rule::Range(1, 1_000_000_000_000)),
        F::personal("share_percent", "份额", "Share", FieldKind::Integer).rule(Rule::Range(1, 100)),
        F::personal("all_shares", "全部份额", "Shares of all owners", FieldKind::Text).rule(Rule::Shares).optional(),
        F::personal("registered_on", "登记日期", "Registered on", FieldKind::Date),
        F::personal("ends_on", "权利终止日期", "Right ends on", FieldKind::Date).optional(),
        F::personal("homes_owned", "名下套数", "Homes owned", FieldKind::Integer)
            .rule(Rule::Range(0, 10_000))
            .optional(),
        F::personal("mortgagee", "抵押权人", "Mortgagee", FieldKind::Text).rule(Rule::Chars(100)).optional(),
        F::personal("mortgage_fen", "抵押金额", "Mortgage", FieldKind::Integer)
            .rule(Rule::Range(1, MOST_FEN))
            .optional(),
        F::personal("seized", "是否查封", "Seized", FieldKind::Boolean).level(Level::L4),
        F::personal("seized_by", "查封机关", "Seized by", FieldKind::Text).rule(Rule::Chars(100)).optional(),
        F::personal("seized_on", "查封日期", "Seized on", FieldKind::Date).optional(),
    ],
    cross: &[
        Cross::InOrder("registered_on", "ends_on"),
        Cross::ShareOf("share_percent", "all_shares"),
        Cross::Together("mortgagee", "mortgage_fen"),
        Cross::OnlyIf("seized", "seized_by"),
        Cross::OnlyIf("seized", "seized_on"),
    ],
};
