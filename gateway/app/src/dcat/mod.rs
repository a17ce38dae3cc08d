//! The catalogue in JSON-LD by the application profile DCAT-AP 3 (SEMIC, release 3.0.1), of which this is no copy: its
//! shapes are not part of the repository, docs/catalogue.md says how to run them.
//!
//! One graph: the catalogue, its service, publishers, datasets with one distribution each, and the terms of authority
//! tables that they use, typed, so that the graph is complete in itself. What a department keeps is described, never shown.

mod dataset;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

use covenant_canon::Digest;
use covenant_domain::{Dataset, DatasetId, DatasetStage, DatasetStatus, Member, MemberId, Names, Roster};
use serde_json::{Value, json};

/// The graph under construction.
struct Graph<'a> {
    base: &'a str,
    consortium: &'a Digest,
    now_ms: u64,
    members: BTreeMap<&'a MemberId, &'a Member>,
    nodes: Vec<Value>,
    /// Terms of authority tables in use: type and label, if the profile wants one.
    terms: BTreeMap<String, (&'static str, Option<&'static str>)>,
}

/// The whole catalogue of the consortium of that name as text. Archived datasets are left out; former members are in, since
/// descriptions may name them.
pub(crate) fn export(
    name: &str,
    consortium: &Digest,
    roster: &Roster,
    items: &[(&Dataset, &DatasetStatus)],
    base: &str,
    now_ms: u64,
) -> String {
    let members = roster.members().map(|m| (&m.id, m)).collect();
    let mut graph = Graph { base, consortium, now_ms, members, nodes: Vec::new(), terms: BTreeMap::new() };
    let shown: Vec<_> = items.iter().filter(|(_, s)| s.stage(now_ms) != DatasetStage::Archived).collect();
    graph.catalogue(name, shown.iter().map(|(d, _)| &d.id));
    graph.service(name, shown.iter().map(|(d, _)| &d.id));
    for member in graph.members.clone().into_values() {
        graph.agent(member);
    }
    for (dataset, status) in shown {
        graph.dataset(dataset, status);
    }
    graph.close();
    json!({ "@context": context(), "@graph": graph.nodes }).to_string()
}

fn context() -> Value {
    json!({
        "adms": "http://www.w3.org/ns/adms#",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcatap": "http://data.europa.eu/r5r/",
        "dct": "http://purl.org/dc/terms/",
        "dqv": "http://www.w3.org/ns/dqv#",
        "eli": "http://data.europa.eu/eli/ontology#",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    })
}

impl Graph<'_> {
    fn catalogue<'d>(&mut self, consortium: &str, datasets: impl Iterator<Item = &'d DatasetId>) {
        let language = self.languages();
        // A theme, so that the table it is from is there even when no dataset names one.
        let (any, label) = terms::theme(covenant_domain::Theme::Gove);
        self.term(any, "skos:Concept", Some(label));
        let about = Names::new(
            &format!("{consortium} 各部门政务数据共享目录，每次使用均有存证"),
            &format!("Datasets that departments of {consortium} share under policy; every use leaves evidence"),
        );
        self.nodes.push(json!({
            "@id": format!("{}/v1/catalogue.jsonld", self.base),
            "@type": "dcat:Catalog",
            "dct:title": both(&Names::new(&format!("{consortium} 数据目录"), &format!("Data catalogue of {consortium}"))),
            "dct:description": both(&about),
            "dct:publisher": iri(&self.consortium_iri()),
            "dct:language": language,
            "dct:modified": moment(self.now_ms),
            "dcat:themeTaxonomy": iri(&terms::theme_scheme()),
            "foaf:homepage": { "@id": format!("{}/", self.base), "@type": "foaf:Document" },
            "dcat:service": iri(&self.service_iri()),
            "dcat:dataset": datasets.map(|id| iri(id.as_str())).collect::<Vec<_>>(),
        }));
        let node = json!({
            "@id": self.consortium_iri(),
            "@type": "foaf:Agent",
            "foaf:name": both(&Names::new(consortium, consortium)),
            "dct:identifier": self.consortium.to_string(),
        });
        self.nodes.push(node);
    }

    fn service<'d>(&mut self, consortium: &str, datasets: impl Iterator<Item = &'d DatasetId>) {
        let rights = terms::access_right(covenant_domain::Sharing::Conditional);
        let rights = self.term(rights, "dct:RightsStatement", None);
        let title = Names::new(&format!("{consortium} 共享网关"), &format!("Sharing gateway of {consortium}"));
        self.nodes.push(json!({
            "@id": self.service_iri(),
            "@type": "dcat:DataService",
            "dct:title": both(&title),
            "dct:publisher": iri(&self.consortium_iri()),
            "dct:accessRights": rights,
            "dcat:endpointURL": iri(self.base),
            "dcat:endpointDescription": iri(&format!("{}/openapi.json", self.base)),
            "dcat:servesDataset": datasets.map(|id| iri(id.as_str())).collect::<Vec<_>>(),
        }));
    }

    fn agent(&mut self, member: &Member) {
        let (kind, label) = terms::publisher_type(member.class);
        let kind = self.term(kind, "skos:Concept", Some(label));
        self.nodes.push(json!({
            "@id": self.member_iri(&member.id),
            "@type": "foaf:Agent",
            "foaf:name": both(&member.names),
            "dct:identifier": member.id.as_str(),
            "dct:type": kind,
        }));
    }

    /// Adds the nodes of all terms in use, and of the tables they are from.
    fn close(&mut self) {
        let terms = std::mem::take(&mut self.terms);
        let tables: BTreeSet<&str> = terms.keys().filter_map(|id| terms::scheme(id)).collect();
        for table in tables {
            let name = table.trim_end_matches("/1.0").rsplit('/').next().unwrap_or(table);
            self.nodes.push(json!({ "@id": table, "@type": "skos:ConceptScheme", "dct:title": english(name) }));
        }
        for (id, (kind, label)) in &terms {
            let mut node = json!({ "@id": id, "@type": kind });
            if let Some(object) = node.as_object_mut() {
                label.iter().for_each(|label| drop(object.insert("skos:prefLabel".into(), english(label))));
                terms::scheme(id).iter().for_each(|table| drop(object.insert("skos:inScheme".into(), iri(table))));
            }
            self.nodes.push(node);
        }
    }

    /// A reference to a term of an authority table, whose node is added at the end.
    fn term(&mut self, id: String, kind: &'static str, label: Option<&'static str>) -> Value {
        let reference = iri(&id);
        self.terms.insert(id, (kind, label));
        reference
    }

    fn languages(&mut self) -> Vec<Value> {
        terms::languages().map(|id| self.term(id, "dct:LinguisticSystem", None)).to_vec()
    }

    fn consortium_iri(&self) -> String {
        format!("urn:covenant:consortium:{}", self.consortium)
    }

    fn member_iri(&self, member: &MemberId) -> String {
        format!("urn:covenant:member:{}:{member}", self.consortium)
    }

    fn service_iri(&self) -> String {
        format!("urn:covenant:gateway:{}", self.consortium)
    }
}

fn english(text: &str) -> Value {
    json!({ "@language": "en", "@value": text })
}

fn iri(id: &str) -> Value {
    json!({ "@id": id })
}

/// A text in both languages; one that is missing is left out.
fn both(names: &Names) -> Value {
    let of = |language: &str, text: &str| json!({ "@language": language, "@value": text });
    let all = [("zh", &names.zh), ("en", &names.en)].into_iter().filter(|(_, text)| !text.trim().is_empty());
    all.map(|(language, text)| of(language, text)).collect()
}

fn moment(time_ms: u64) -> Value {
    let time = i64::try_from(time_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    json!({ "@type": "xsd:dateTime", "@value": time.unwrap_or_default().to_string() })
}

#[cfg(test)]
mod tests;
