//! Code lists, with names in both languages.

use serde::Serialize;

/// A code with its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeEntry {
    /// The code, as records carry it.
    pub code: &'static str,
    /// Name in Chinese.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
}

/// A list of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeList {
    /// Name of the list.
    pub code: &'static str,
    /// Its codes.
    pub entries: &'static [CodeEntry],
}

impl CodeList {
    /// The entry of a code.
    pub fn entry(&self, code: &str) -> Option<&'static CodeEntry> {
        self.entries.iter().find(|e| e.code == code)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $list:literal { $($code:literal $zh:literal $en:literal;)* })*) => {$(
        $(#[$doc])*
        pub static $name: CodeList =
            CodeList { code: $list, entries: &[$(CodeEntry { code: $code, zh: $zh, en: $en }),*] };
    )*};
}

codes! {
    /// Why somebody stands on a blacklist. A: financial, B: judicial and administrative, C: market, D: taxes and wages.
    BLACKLIST_TYPES = "blacklist-types" {
        "A01" "贷款逾期90天以上" "loan overdue by more than 90 days";
        "A02" "信用卡恶意透支" "malicious credit card overdraft";
        "A03" "担保代偿未还" "guarantee called and not repaid";
        "A04" "逃废银行债务" "evasion of bank debt";
        "A05" "骗取贷款" "loan fraud";
        "A06" "保险欺诈" "insurance fraud";
        "A07" "非法集资" "illegal fund-raising";
        "A08" "洗钱可疑" "suspected money laundering";
        "B01" "失信被执行人" "defaulter under a court judgment";
        "B02" "限制高消费" "restricted from luxury consumption";
        "B03" "虚假诉讼" "fraudulent litigation";
        "B04" "妨碍执行" "obstruction of enforcement";
        "B05" "重大行政处罚未履行" "major administrative penalty not fulfilled";
        "B06" "列入限制出境" "barred from leaving the country";
        "C01" "严重违法失信企业" "enterprise in serious breach of law and trust";
        "C02" "经营异常名录" "list of abnormal operations";
        "C03" "假冒伪劣" "counterfeit or shoddy goods";
        "C04" "虚假登记" "false registration";
        "C05" "合同欺诈" "contract fraud";
        "C06" "食品药品安全违法" "breach of food or drug safety law";
        "D01" "重大税收违法" "major tax offence";
        "D02" "欠税公告" "publicly announced tax arrears";
        "D03" "拖欠农民工工资" "unpaid wages of migrant workers";
        "D04" "骗提住房公积金" "fraudulent provident-fund withdrawal";
    }
    /// Status of a business.
    BUSINESS_STATUS = "business-status" {
        "存续" "存续" "in business";
        "在业" "在业" "operating";
        "停业" "停业" "closed for the time being";
        "吊销" "吊销" "licence revoked";
        "注销" "注销" "deregistered";
        "迁出" "迁出" "moved to another registry";
    }
    /// Status of an electronic licence.
    LICENCE_STATUS = "licence-status" {
        "valid" "有效" "valid";
        "suspended" "暂停" "suspended";
        "expired" "过期" "expired";
        "revoked" "吊销" "revoked";
        "cancelled" "注销" "cancelled";
        "replaced" "换发" "replaced by another";
    }
    /// Kind of a licence's holder.
    HOLDER_KINDS = "holder-kinds" {
        "natural_person" "自然人" "natural person";
        "legal_person" "法人" "legal person";
        "other_organisation" "其他组织" "other organisation";
        "thing" "物" "a thing, such as a vehicle";
    }
    /// Kinds of real-estate right.
    RIGHT_KINDS = "right-kinds" {
        "ownership" "房屋所有权" "ownership of a building";
        "land_use" "国有建设用地使用权" "right to use state-owned construction land";
        "land_and_building" "国有建设用地使用权/房屋所有权" "land use right with ownership of the building";
        "homestead" "宅基地使用权" "right to use a rural homestead";
        "contracted_land" "土地承包经营权" "right to contracted management of land";
        "easement" "地役权" "easement";
        "residence" "居住权" "right of residence";
        "sea_use" "海域使用权" "right to use a sea area";
    }
    /// Five classes of loans (贷款五级分类).
    FIVE_CLASSES = "five-classes" {
        "normal" "正常" "normal";
        "special_mention" "关注" "special mention";
        "substandard" "次级" "substandard";
        "doubtful" "可疑" "doubtful";
        "loss" "损失" "loss";
    }
}
