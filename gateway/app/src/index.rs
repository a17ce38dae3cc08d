//! The search index of the catalogue: built anew when the catalogue changes.
//!
//! A word is found wherever it stands in a text, as Chinese has no spaces. Pairs of neighbouring characters lead to the
//! few datasets that may hold it, and each of those is looked at.

use std::collections::BTreeMap;

use covenant_domain::{Dataset, DatasetStatus, Names, normalise_text};

use crate::port::Catalogue;

/// What a hit is worth, by where it is: title, keyword, field, abstract.
const WEIGHTS: [u32; 4] = [8, 4, 2, 1];

/// A dataset with its texts folded for search, in the order of [`WEIGHTS`].
pub(crate) struct Indexed {
    pub(crate) dataset: Dataset,
    pub(crate) status: DatasetStatus,
    texts: [String; 4],
}

/// The catalogue of one mark.
pub(crate) struct Index {
    mark: Option<u64>,
    items: Vec<Indexed>,
    /// Positions of items, rising, by pairs of characters; a single character stands with nothing behind it.
    pairs: BTreeMap<(char, Option<char>), Vec<u32>>,
}

impl Index {
    /// An index of nothing, older than any catalogue.
    pub(crate) fn none() -> Self {
        Self { mark: None, items: Vec::new(), pairs: BTreeMap::new() }
    }

    pub(crate) fn build(catalogue: Catalogue) -> Self {
        let items: Vec<_> = catalogue.datasets.into_iter().map(|(d, s)| indexed(d, s)).collect();
        let mut pairs: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (item, position) in items.iter().zip(0u32..) {
            for pair in item.texts.iter().flat_map(|text| pairs_of(text)) {
                let found = pairs.entry(pair).or_default();
                if found.last() != Some(&position) {
                    found.push(position);
                }
            }
        }
        Self { mark: Some(catalogue.mark), items, pairs }
    }

    pub(crate) fn mark(&self) -> Option<u64> {
        self.mark
    }

    pub(crate) fn items(&self) -> &[Indexed] {
        &self.items
    }

    /// Datasets that hold all words, each with its score; all of them, with score 0, when there are none.
    pub(crate) fn find(&self, words: &[String]) -> Vec<(&Indexed, u32)> {
        let Some(rarest) = words.iter().map(|w| self.candidates(w)).min_by_key(|c| c.len()) else {
            return self.items.iter().map(|item| (item, 0)).collect();
        };
        let at = |position: &u32| self.items.get(*position as usize);
        rarest.iter().filter_map(at).filter_map(|item| Some((item, item.score(words)?))).collect()
    }

    /// Items that may hold a word: those with its rarest pair.
    fn candidates(&self, word: &str) -> &[u32] {
        let of_pair = |pair| self.pairs.get(&pair).map_or(&[][..], Vec::as_slice);
        let single = word.chars().nth(1).is_none();
        let pairs = pairs_of(word).filter(|(_, next)| single || next.is_some());
        pairs.map(of_pair).min_by_key(|found| found.len()).unwrap_or_default()
    }
}

impl Indexed {
    /// The sum over all words of where each is found; none when one is not found at all.
    fn score(&self, words: &[String]) -> Option<u32> {
        words.iter().try_fold(0, |sum: u32, word| {
            let hits = self.texts.iter().zip(WEIGHTS).filter(|(text, _)| text.contains(word.as_str()));
            let worth: u32 = hits.map(|(_, weight)| weight).sum();
            (worth > 0).then(|| sum.saturating_add(worth))
        })
    }
}

/// The words of a search as texts are folded: NFKC, lower case.
pub(crate) fn words(q: &str) -> Vec<String> {
    let mut words: Vec<_> = folded(q).split_whitespace().map(str::to_owned).collect();
    words.sort();
    words.dedup();
    words
}

fn folded(text: &str) -> String {
    normalise_text(text).to_lowercase()
}

/// Each pair of neighbours, and each character alone.
fn pairs_of(text: &str) -> impl Iterator<Item = (char, Option<char>)> {
    let singles = text.chars().map(|c| (c, None));
    singles.chain(text.chars().zip(text.chars().skip(1)).map(|(a, b)| (a, Some(b))))
}

fn indexed(dataset: Dataset, status: DatasetStatus) -> Indexed {
    let mut texts: [Vec<String>; 4] = Default::default();
    let [title, keywords, fields, summary] = &mut texts;
    let add = |to: &mut Vec<String>, names: &Names| to.extend([folded(&names.zh), folded(&names.en)]);
    add(title, &dataset.names);
    for field in &dataset.fields {
        fields.push(folded(field.name.as_str()));
        add(fields, &field.names);
    }
    if let Some(about) = &dataset.about {
        about.keywords.iter().for_each(|keyword| add(keywords, keyword));
        about.summary.iter().for_each(|text| add(summary, text));
    }
    // A line end, which no word holds, keeps texts apart.
    let texts = texts.map(|all| all.join("\n"));
    Indexed { dataset, status, texts }
}

#[cfg(test)]
mod tests;
