//! What is to be asked, as far as a person has chosen; the rest is what suits.

use weft_shared::api::{
    adapter::AdapterInfo, chat::ChatTemplate, dataset::DatasetSummary, evaluation::NewEvaluation,
};

/// Tokens that are enough for the answers of most datasets.
const LONGEST_ANSWER: usize = 64;

/// Who answers beside the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Beside {
    /// The adapter that was made last.
    #[default]
    Newest,
    Nobody,
    Adapter(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub beside: Beside,
    pub dataset: Option<i64>,
    /// `None` is the dataset as it is now.
    pub version: Option<u32>,
    /// How many questions, as typed; nothing is all.
    pub limit: String,
    pub template: ChatTemplate,
    pub max_tokens: usize,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            beside: Beside::default(),
            dataset: None,
            version: None,
            limit: String::new(),
            template: ChatTemplate::Training,
            max_tokens: LONGEST_ANSWER,
        }
    }
}

impl Form {
    pub fn choose_dataset(&mut self, id: i64) {
        // Versions are numbered in their dataset.
        self.version = None;
        self.dataset = Some(id);
    }

    /// The adapter that answers, of those that there are, newest first.
    pub fn adapter<'a>(&self, adapters: &'a [AdapterInfo]) -> Option<&'a AdapterInfo> {
        let mut usable = adapters.iter().filter(|it| it.is_usable);
        match &self.beside {
            Beside::Newest => usable.next(),
            Beside::Nobody => None,
            Beside::Adapter(name) => usable.find(|it| it.name == *name),
        }
    }

    /// The dataset whose questions are asked: the chosen one, else the one that the adapter was trained on, else the
    /// first.
    pub fn dataset<'a>(
        &self,
        datasets: &'a [DatasetSummary],
        adapter: Option<&AdapterInfo>,
    ) -> Option<&'a DatasetSummary> {
        let chosen = datasets.iter().find(|it| Some(it.id) == self.dataset);
        let trained = || datasets.iter().find(|it| adapter.is_some_and(|by| is_of(by, it)));
        chosen.or_else(trained).or(datasets.first())
    }

    /// How many questions at most.
    pub fn limit(&self) -> Result<Option<usize>, NoCount> {
        match self.limit.trim() {
            "" => Ok(None),
            typed => match typed.parse() {
                Ok(0) | Err(_) => Err(NoCount),
                Ok(count) => Ok(Some(count)),
            },
        }
    }

    /// What the server is asked for; `None` where that cannot be said yet.
    pub fn request(
        &self,
        datasets: &[DatasetSummary],
        adapters: &[AdapterInfo],
    ) -> Option<NewEvaluation> {
        let adapter = self.adapter(adapters);
        let dataset = self.dataset(datasets, adapter)?;
        Some(NewEvaluation {
            dataset: dataset.id,
            version: self.version.filter(|_| Some(dataset.id) == self.dataset),
            adapter: adapter.map(|it| it.name.clone()),
            limit: self.limit().ok()?,
            template: self.template,
            max_tokens: self.max_tokens,
        })
    }
}

/// What was typed is no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole number from 1 on")]
pub struct NoCount;

/// Whether an adapter was trained on a dataset, as far as the name tells.
pub fn is_of(adapter: &AdapterInfo, dataset: &DatasetSummary) -> bool {
    adapter.dataset_name.as_ref() == Some(&dataset.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, dataset: &str, is_usable: bool) -> AdapterInfo {
        AdapterInfo {
            name: name.into(),
            created_ms: 0,
            job: None,
            dataset_name: Some(dataset.into()),
            dataset_version: Some(1),
            r: 8,
            alpha: 32.0,
            target_modules: Vec::new(),
            size_bytes: 0,
            model_fingerprint: String::new(),
            is_usable,
        }
    }

    fn dataset(id: i64, name: &str) -> DatasetSummary {
        DatasetSummary { id, name: name.into(), pairs: 3, revision: 0, updated_ms: 0 }
    }

    #[test]
    fn the_newest_usable_adapter_is_asked_about_what_it_learned() {
        let adapters = [adapter("strange", "a", false), adapter("mine", "b", true)];
        let datasets = [dataset(1, "a"), dataset(2, "b")];

        let request = Form::default().request(&datasets, &adapters).unwrap();

        assert_eq!((request.adapter.as_deref(), request.dataset), (Some("mine"), 2));
        assert_eq!((request.version, request.limit, request.max_tokens), (None, None, 64));
    }

    #[test]
    fn what_was_chosen_is_asked() {
        let adapters = [adapter("mine", "b", true)];
        let datasets = [dataset(1, "a"), dataset(2, "b")];
        let mut form = Form { beside: Beside::Nobody, limit: " 5 ".into(), ..Form::default() };
        form.choose_dataset(2);
        form.version = Some(3);

        let request = form.request(&datasets, &adapters).unwrap();

        assert_eq!((request.adapter, request.dataset), (None, 2));
        assert_eq!((request.version, request.limit), (Some(3), Some(5)));
        form.choose_dataset(1);
        assert_eq!(form.request(&datasets, &adapters).unwrap().version, None);
    }

    #[test]
    fn a_version_of_a_dataset_that_is_gone_is_not_asked_of_another() {
        let form = Form { dataset: Some(9), version: Some(3), ..Form::default() };

        let request = form.request(&[dataset(1, "a")], &[]).unwrap();

        assert_eq!((request.dataset, request.version), (1, None));
        assert_eq!(form.request(&[], &[]), None);
    }

    #[test]
    fn nothing_is_asked_as_long_as_the_count_is_none() {
        for typed in ["0", "-1", "many", "1.5"] {
            let form = Form { limit: typed.into(), ..Form::default() };

            assert_eq!(form.limit(), Err(NoCount), "{typed}");
            assert_eq!(form.request(&[dataset(1, "a")], &[]), None);
        }
    }
}
