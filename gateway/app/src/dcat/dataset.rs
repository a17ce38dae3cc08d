//! One dataset with its distribution.

use covenant_domain::{Dataset, DatasetStatus, Day, Description, Names, Quality};
use serde_json::{Map, Value, json};

use super::{Graph, both, iri, terms};

impl Graph<'_> {
    pub(super) fn dataset(&mut self, dataset: &Dataset, status: &DatasetStatus) {
        let id = dataset.id.as_str();
        let about = dataset.about.clone().unwrap_or_default();
        let frequency = self.term(terms::frequency(dataset.update_cycle), "dct:Frequency", None);
        let rights = self.term(terms::access_right(dataset.sharing), "dct:RightsStatement", None);
        let language = self.languages();
        let mut node = object(json!({
            "@id": id,
            "@type": "dcat:Dataset",
            "dct:title": both(&dataset.names),
            "dct:description": both(&about.summary.clone().unwrap_or_else(|| stated(dataset))),
            "dct:identifier": id,
            "dct:publisher": iri(&self.member_iri(&dataset.holder)),
            "dct:language": language,
            "dct:accrualPeriodicity": frequency,
            "dct:accessRights": rights,
            "dcat:contactPoint": self.contact(dataset, &about),
            "dcat:version": dataset.revision.to_string(),
            "dcat:landingPage": { "@id": format!("{}/v1/catalogue/{id}", self.base), "@type": "foaf:Document" },
            "dcat:distribution": iri(&distribution_iri(id)),
        }));
        self.describe(&mut node, &about);
        if dataset.revision > 1 {
            let before = format!("{id}?revision={}", dataset.revision - 1);
            node.insert("dcat:previousVersion".into(), iri(&before));
        }
        if !dataset.duty_basis.trim().is_empty() {
            let basis = format!("{id}#duty-basis");
            let legal = json!({ "@id": basis, "@type": "eli:LegalResource", "dct:title": zh(&dataset.duty_basis) });
            node.insert("dcatap:applicableLegislation".into(), legal);
        }
        if let Some(successor) = status.deprecated.as_ref().and_then(|d| d.successor.as_ref()) {
            node.insert("dct:isReplacedBy".into(), iri(successor.as_str()));
        }
        self.nodes.push(Value::Object(node));
        self.distribution(dataset, status, &about);
    }

    /// What its description adds.
    fn describe(&mut self, node: &mut Map<String, Value>, about: &Description) {
        let mut add = |name: &str, value: Value| drop(node.insert(name.into(), value));
        if !about.keywords.is_empty() {
            let words = about.keywords.iter().map(both).filter_map(|v| v.as_array().cloned());
            add("dcat:keyword", words.flatten().collect());
        }
        if !about.themes.is_empty() {
            let of = |theme: &covenant_domain::Theme| {
                let (id, label) = terms::theme(*theme);
                self.term(id, "skos:Concept", Some(label))
            };
            add("dcat:theme", about.themes.iter().map(of).collect());
        }
        if let Some(region) = &about.spatial {
            add("dct:spatial", json!({ "@type": "dct:Location", "skos:prefLabel": both(region) }));
        }
        if let Some(period) = &about.temporal {
            let mut time = object(json!({ "@type": "dct:PeriodOfTime", "dcat:startDate": date(&period.from) }));
            period.until.iter().for_each(|until| drop(time.insert("dcat:endDate".into(), date(until))));
            add("dct:temporal", Value::Object(time));
        }
        if let Some(model) = &about.model {
            add("dct:conformsTo", standard(model));
        }
        if let Some(quality) = &about.quality {
            add("dqv:hasQualityMeasurement", measurements(quality));
        }
    }

    fn distribution(&mut self, dataset: &Dataset, status: &DatasetStatus, about: &Description) {
        let id = dataset.id.as_str();
        let stage = status.stage(self.now_ms);
        let (state, state_label) = terms::status(stage);
        let (lasts, lasts_label) = terms::availability(stage);
        let state = self.term(state, "skos:Concept", Some(state_label));
        let lasts = self.term(lasts, "skos:Concept", Some(lasts_label));
        let format = self.term(terms::json_file_type(), "dct:MediaTypeOrExtent", None);
        let media = self.term(terms::JSON_MEDIA_TYPE.into(), "dct:MediaType", None);
        let mut node = object(json!({
            "@id": distribution_iri(id),
            "@type": "dcat:Distribution",
            "dct:title": both(&dataset.names),
            "dct:description": both(&Names::new("经授权通过网关查询", "Asked through the gateway, under a grant")),
            "dcat:accessURL": iri(&format!("{}/v1/datasets/{id}", self.base)),
            "dcat:accessService": iri(&self.service_iri()),
            "dct:format": format,
            "dcat:mediaType": media,
            "adms:status": state,
            "dcatap:availability": lasts,
        }));
        if let Some(conditions) = &about.conditions {
            let licence = json!({ "@type": "dct:LicenseDocument", "dct:title": both(conditions) });
            node.insert("dct:license".into(), licence);
        }
        self.nodes.push(Value::Object(node));
    }

    /// Whom to ask: the steward at the holder.
    fn contact(&self, dataset: &Dataset, about: &Description) -> Value {
        let holder = self.members.get(&dataset.holder).map(|m| m.names.zh.clone());
        let holder = holder.unwrap_or_else(|| dataset.holder.to_string());
        let name = about.steward.as_ref().map_or_else(|| holder.clone(), |steward| format!("{holder} · {steward}"));
        let page = format!("{}/v1/members#{}", self.base, dataset.holder);
        json!({ "@type": ["vcard:Kind", "vcard:Organization"], "vcard:fn": name, "vcard:hasURL": iri(&page) })
    }
}

fn distribution_iri(id: &str) -> String {
    format!("{id}#gateway")
}

/// What is said of a dataset whose holder wrote no abstract.
fn stated(dataset: &Dataset) -> Names {
    let list =
        |of: fn(&Names) -> &String| dataset.fields.iter().map(|f| of(&f.names).as_str()).collect::<Vec<_>>().join(", ");
    let Names { zh, en } = &dataset.names;
    Names::new(&format!("{zh}: {}", list(|n| &n.zh)), &format!("{en}: {}", list(|n| &n.en)))
}

fn standard(model: &str) -> Value {
    let id = format!("urn:covenant:record-model:{model}");
    json!({ "@id": id, "@type": "dct:Standard", "dct:title": model, "dct:identifier": model })
}

fn measurements(quality: &Quality) -> Value {
    let one = |metric: &str, permille: u16| {
        json!({
            "@type": "dqv:QualityMeasurement",
            "dqv:isMeasurementOf": { "@id": format!("urn:covenant:metric:{metric}"), "@type": "dqv:Metric" },
            "dqv:value": { "@type": "xsd:decimal", "@value": format!("{}.{:03}", permille / 1000, permille % 1000) },
            "dct:date": date(&quality.measured_on),
        })
    };
    json!([
        one("completeness", quality.completeness_permille),
        one("accuracy", quality.accuracy_permille),
        one("timeliness", quality.timeliness_permille),
    ])
}

fn date(day: &Day) -> Value {
    json!({ "@type": "xsd:date", "@value": day.to_string() })
}

fn zh(text: &str) -> Value {
    json!({ "@language": "zh", "@value": text })
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}
