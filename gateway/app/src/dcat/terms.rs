//! IRIs of the authority tables that DCAT-AP prescribes, and the words of ours that they stand for.

use covenant_domain::{Class, DatasetStage, Sharing, Theme, UpdateCycle};

const EU: &str = "http://publications.europa.eu/resource/authority/";

/// The authority table that a term belongs to; none for terms of no such table.
pub(super) fn scheme(term: &str) -> Option<&str> {
    let (table, _) = term.rsplit_once('/')?;
    match table {
        "http://purl.org/adms/publishertype" => Some("http://purl.org/adms/publishertype/1.0"),
        table if table.starts_with(EU) => Some(table),
        _ => None,
    }
}

/// Chinese and English, the languages of all texts.
pub(super) fn languages() -> [String; 2] {
    ["ZHO", "ENG"].map(|code| format!("{EU}language/{code}"))
}

pub(super) fn frequency(cycle: UpdateCycle) -> String {
    let code = match cycle {
        UpdateCycle::Realtime => "UPDATE_CONT",
        UpdateCycle::Daily => "DAILY",
        UpdateCycle::Weekly => "WEEKLY",
        UpdateCycle::Monthly => "MONTHLY",
        UpdateCycle::Quarterly => "QUARTERLY",
        UpdateCycle::Yearly => "ANNUAL",
        UpdateCycle::Irregular => "IRREG",
    };
    format!("{EU}frequency/{code}")
}

/// Sharing between authorities is restricted even when it is unconditional: nothing here is open to the public.
pub(super) fn access_right(sharing: Sharing) -> String {
    let code = match sharing {
        Sharing::Unconditional | Sharing::Conditional => "RESTRICTED",
        Sharing::Refused => "NON_PUBLIC",
    };
    format!("{EU}access-right/{code}")
}

pub(super) fn theme(theme: Theme) -> (String, &'static str) {
    let (code, label) = match theme {
        Theme::Agri => ("AGRI", "Agriculture, fisheries, forestry and food"),
        Theme::Econ => ("ECON", "Economy and finance"),
        Theme::Educ => ("EDUC", "Education, culture and sport"),
        Theme::Ener => ("ENER", "Energy"),
        Theme::Envi => ("ENVI", "Environment"),
        Theme::Gove => ("GOVE", "Government and public sector"),
        Theme::Heal => ("HEAL", "Health"),
        Theme::Intr => ("INTR", "International issues"),
        Theme::Just => ("JUST", "Justice, legal system and public safety"),
        Theme::Regi => ("REGI", "Regions and cities"),
        Theme::Soci => ("SOCI", "Population and society"),
        Theme::Tech => ("TECH", "Science and technology"),
        Theme::Tran => ("TRAN", "Transport"),
    };
    (format!("{EU}data-theme/{code}"), label)
}

pub(super) fn theme_scheme() -> String {
    format!("{EU}data-theme")
}

/// Status of a distribution.
pub(super) fn status(stage: DatasetStage) -> (String, &'static str) {
    let (code, label) = match stage {
        DatasetStage::Published => ("COMPLETED", "completed"),
        DatasetStage::Deprecated => ("DEPRECATED", "deprecated"),
        DatasetStage::Suspended | DatasetStage::Archived => ("WITHDRAWN", "withdrawn"),
    };
    (format!("{EU}distribution-status/{code}"), label)
}

/// How long a distribution stays available.
pub(super) fn availability(stage: DatasetStage) -> (String, &'static str) {
    let (code, label) = match stage {
        DatasetStage::Published => ("STABLE", "stable"),
        _ => ("TEMPORARY", "temporary"),
    };
    (format!("{EU}planned-availability/{code}"), label)
}

pub(super) fn publisher_type(class: Class) -> (String, &'static str) {
    let (code, label) = match class {
        Class::Government | Class::Regulator => ("LocalAuthority", "Local authority"),
        Class::Finance => ("Company", "Company"),
        Class::Notary => ("LegalAuthority", "Legal authority"),
    };
    (format!("http://purl.org/adms/publishertype/{code}"), label)
}

pub(super) fn json_file_type() -> String {
    format!("{EU}file-type/JSON")
}

pub(super) const JSON_MEDIA_TYPE: &str = "http://www.iana.org/assignments/media-types/application/json";
