//! Adapters: what the server has, by name.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use weft_shared::api::adapter::AdapterInfo;

use super::{
    Result, Store, StoreError,
    jobs::job,
    json::Json,
    names::{check_name, numbered},
    now_ms,
};

/// An adapter whose files are in the data folder under its id.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterRecord {
    pub id: i64,
    pub created_ms: u64,
    pub facts: AdapterFacts,
}

/// What is known of an adapter, also before it is added.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFacts {
    /// Unique; that of a new one gets a number behind it where it is taken.
    pub name: String,
    /// The run that made it; `None` also where that was deleted.
    pub job: Option<i64>,
    pub dataset_name: Option<String>,
    pub dataset_version: Option<u32>,
    pub r: usize,
    pub alpha: f64,
    pub target_modules: Vec<String>,
    /// Of the model it was made for.
    pub model_fingerprint: String,
    pub size_bytes: u64,
}

impl AdapterRecord {
    /// What the page sees of it, beside the model that is served.
    pub fn info(&self, served_fingerprint: &str) -> AdapterInfo {
        let facts = self.facts.clone();
        AdapterInfo {
            created_ms: self.created_ms,
            is_usable: facts.model_fingerprint == served_fingerprint,
            name: facts.name,
            job: facts.job,
            dataset_name: facts.dataset_name,
            dataset_version: facts.dataset_version,
            r: facts.r,
            alpha: facts.alpha,
            target_modules: facts.target_modules,
            size_bytes: facts.size_bytes,
            model_fingerprint: facts.model_fingerprint,
        }
    }
}

impl Store {
    pub fn add_adapter(&self, new: &AdapterFacts) -> Result<AdapterRecord> {
        check_name(&new.name)?;
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(id) = new.job {
            job(&transaction, id)?;
        }
        let name = free_name(&transaction, &new.name)?;
        transaction.execute(
            "INSERT INTO adapter (name, created_ms, job, dataset_name, dataset_version, r, alpha, \
             target_modules, model_fingerprint, size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                name,
                now_ms(),
                new.job,
                new.dataset_name,
                new.dataset_version,
                new.r,
                new.alpha,
                Json(&new.target_modules),
                new.model_fingerprint,
                new.size_bytes,
            ],
        )?;
        let added = by_name(&transaction, &name)?;
        transaction.commit()?;
        Ok(added)
    }

    /// Newest first.
    pub fn adapters(&self) -> Result<Vec<AdapterRecord>> {
        let connection = self.lock();
        let mut select = connection.prepare_cached("SELECT * FROM adapter ORDER BY id DESC")?;
        let adapters = select.query_map([], read_adapter)?;
        Ok(adapters.collect::<rusqlite::Result<_>>()?)
    }

    pub fn adapter(&self, name: &str) -> Result<AdapterRecord> {
        by_name(&self.lock(), name)
    }

    pub fn rename_adapter(&self, name: &str, new_name: &str) -> Result<AdapterRecord> {
        check_name(new_name)?;
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = by_name(&transaction, name)?.id;
        if name != new_name && is_taken(&transaction, new_name)? {
            return Err(StoreError::NameTaken(new_name.to_owned()));
        }
        transaction.execute("UPDATE adapter SET name = ? WHERE id = ?", params![new_name, id])?;
        transaction.execute("UPDATE job SET adapter = ? WHERE adapter = ?", [new_name, name])?;
        let renamed = by_name(&transaction, new_name)?;
        transaction.commit()?;
        Ok(renamed)
    }

    /// Gives what was deleted: whoever calls this deletes the files.
    pub fn delete_adapter(&self, name: &str) -> Result<AdapterRecord> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let deleted = by_name(&transaction, name)?;
        transaction.execute("DELETE FROM adapter WHERE id = ?", [deleted.id])?;
        transaction.execute("UPDATE job SET adapter = NULL WHERE adapter = ?", [name])?;
        transaction.commit()?;
        Ok(deleted)
    }
}

pub(super) fn by_name(connection: &Connection, name: &str) -> Result<AdapterRecord> {
    connection
        .prepare_cached("SELECT * FROM adapter WHERE name = ?")?
        .query_row([name], read_adapter)
        .optional()?
        .ok_or_else(|| StoreError::NoAdapter(name.to_owned()))
}

fn is_taken(connection: &Connection, name: &str) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM adapter WHERE name = ?")?.exists([name])?)
}

/// The name, or the first of `NAME-2`, `NAME-3`, … that is free.
fn free_name(connection: &Connection, name: &str) -> Result<String> {
    let mut free = name.to_owned();
    let mut number = 2;
    while is_taken(connection, &free)? {
        free = numbered(name, number);
        number += 1;
    }
    Ok(free)
}

fn read_adapter(row: &rusqlite::Row<'_>) -> rusqlite::Result<AdapterRecord> {
    Ok(AdapterRecord {
        id: row.get("id")?,
        created_ms: row.get("created_ms")?,
        facts: AdapterFacts {
            name: row.get("name")?,
            job: row.get("job")?,
            dataset_name: row.get("dataset_name")?,
            dataset_version: row.get("dataset_version")?,
            r: row.get("r")?,
            alpha: row.get("alpha")?,
            target_modules: row.get::<_, Json<_>>("target_modules")?.0,
            model_fingerprint: row.get("model_fingerprint")?,
            size_bytes: row.get("size_bytes")?,
        },
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::jobs::tests::new_job;

    pub(in crate::store) fn facts(name: &str) -> AdapterFacts {
        AdapterFacts {
            name: name.into(),
            job: None,
            dataset_name: Some("pairs".into()),
            dataset_version: Some(3),
            r: 8,
            alpha: 32.0,
            target_modules: vec!["query_key_value".into()],
            model_fingerprint: "f00".into(),
            size_bytes: 1234,
        }
    }

    #[test]
    fn an_adapter_is_found_by_name() {
        let store = Store::in_memory().unwrap();

        let added = store.add_adapter(&facts("客服")).unwrap();

        assert_eq!(store.adapter("客服").unwrap(), added);
        assert_eq!(added.facts, facts("客服"));
        assert!(added.info("f00").is_usable);
        assert!(!added.info("another").is_usable);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let store = Store::in_memory().unwrap();

        for name in ["mine", "mine-2", "mine-3"] {
            assert_eq!(store.add_adapter(&facts("mine")).unwrap().facts.name, name);
        }

        let names = store.adapters().unwrap().into_iter().map(|adapter| adapter.facts.name);
        assert_eq!(names.collect::<Vec<_>>(), ["mine-3", "mine-2", "mine"]);
    }

    #[test]
    fn a_new_name_must_be_free_and_fit() {
        let store = Store::in_memory().unwrap();
        store.add_adapter(&facts("one")).unwrap();
        store.add_adapter(&facts("two")).unwrap();

        assert_eq!(store.rename_adapter("one", "three").unwrap().facts.name, "three");
        assert_eq!(store.rename_adapter("three", "three").unwrap().facts.name, "three");
        let rename = |from, to| store.rename_adapter(from, to).unwrap_err();
        assert!(matches!(rename("three", "two"), StoreError::NameTaken(name) if name == "two"));
        assert!(matches!(rename("three", "a:b"), StoreError::BadName { .. }));
        assert!(matches!(rename("one", "four"), StoreError::NoAdapter(name) if name == "one"));
        assert!(matches!(store.add_adapter(&facts("")), Err(StoreError::BadName { .. })));
    }

    #[test]
    fn the_job_knows_its_adapter_until_it_is_deleted() {
        let store = Store::in_memory().unwrap();
        let job = store.add_job(&new_job("mine")).unwrap().id;
        let adapter = store.add_adapter(&AdapterFacts { job: Some(job), ..facts("mine") }).unwrap();
        store.set_job_adapter(job, &adapter.facts.name).unwrap();

        store.rename_adapter("mine", "yours").unwrap();
        assert_eq!(store.job(job).unwrap().adapter.as_deref(), Some("yours"));

        assert_eq!(store.delete_adapter("yours").unwrap().id, adapter.id);
        assert_eq!(store.job(job).unwrap().adapter, None);
        assert!(matches!(store.adapter("yours"), Err(StoreError::NoAdapter(_))));
        assert!(store.add_adapter(&facts("mine")).unwrap().id > adapter.id);
    }

    #[test]
    fn an_adapter_of_no_job_that_exists_is_refused() {
        let store = Store::in_memory().unwrap();

        let refused = store.add_adapter(&AdapterFacts { job: Some(7), ..facts("mine") });

        assert!(matches!(refused, Err(StoreError::NoJob(7))));
    }
}
