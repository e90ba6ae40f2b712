//! Data files: hundreds of megabytes, written in parts, seen when they are whole.
//!
//! The journal is written first (partial), then the bytes, then the journal again (whole). A tab
//! that writes a file holds a lock of the file's name, so that another that is opened meanwhile
//! does not take it for a leftover.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Blob, File, FilePropertyBag};

use super::locks::{Ask, Held};
use super::record::{FileRecord, FileState, Place, same_name};
use super::{BLOBS, Changed, FILES, Store, StoreError, locks, new_id, now};

/// Bytes that are handed to the file system at a time.
const PART: f64 = 8e6;

/// A data file that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Its name, with extensions.
    pub name: String,
    /// Its length in bytes.
    pub bytes: f64,
    /// When it was added, in milliseconds since 1970.
    pub added: f64,
}

/// A way to stop an addition from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Rc<Cell<bool>>);

impl Cancel {
    /// Stops it.
    pub fn cancel(&self) {
        self.0.set(true);
    }

    /// Whether it was stopped.
    pub fn is_cancelled(&self) -> bool {
        self.0.get()
    }
}

impl Store {
    /// The data files, by name.
    pub async fn files(&self) -> Result<Vec<DataFile>, StoreError> {
        let records = self.records().await?;
        let whole = { records }.into_iter().filter(is_whole);
        let mut files: Vec<DataFile> = whole
            .map(
                |FileRecord {
                     name, bytes, added, ..
                 }| DataFile { name, bytes, added },
            )
            .collect();
        files.sort_by_key(|file| file.name.to_lowercase());
        Ok(files)
    }

    /// A data file's bytes, as a `File` of its name. Nothing of it is read yet.
    pub async fn file(&self, name: &str) -> Result<File, StoreError> {
        let records = self.records().await?;
        let record = records
            .iter()
            .find(|one| is_whole(one) && same_name(&one.name, name));
        let record = record.ok_or_else(|| missing(name))?;
        let bytes: Blob = match record.place {
            Place::Opfs => self.opfs()?.file(&record.id).await?.unchecked_into(),
            Place::Blob => {
                let transaction = self.database().read(&[BLOBS])?;
                let blob = transaction.get_value(BLOBS, &record.id).await?;
                blob.dyn_into().map_err(|_| missing(name))?
            }
        };
        // The same bytes under the file's own name; a browser copies none.
        let options = FilePropertyBag::new();
        options.set_last_modified(record.added);
        let parts = js_sys::Array::of1(&bytes);
        Ok(File::new_with_blob_sequence_and_options(
            &parts,
            &record.name,
            &options,
        )?)
    }

    /// Adds a file, or with `replace` puts it in the place of the one of its name. `progress` is
    /// told the bytes so far. Until it is whole the storage is as it was.
    pub async fn add_file(
        &self,
        name: &str,
        bytes: &Blob,
        replace: bool,
        progress: impl Fn(f64),
        cancel: &Cancel,
    ) -> Result<DataFile, StoreError> {
        let taken = self.records().await?;
        free(&taken, name, replace)?;
        self.room_for(bytes.size()).await?;
        let mut record = FileRecord {
            id: new_id()?,
            name: name.to_owned(),
            bytes: bytes.size(),
            added: now(),
            state: FileState::Partial,
            place: if self.0.opfs.is_some() {
                Place::Opfs
            } else {
                Place::Blob
            },
        };
        let _writing = locks::request(&lock_of(&record.id), Ask::IfFree).await?;
        self.put_record(&record).await?;
        let added = self
            .fill(&mut record, bytes, replace, progress, cancel)
            .await;
        if let Err(error) = added {
            // What cannot be cleaned now is when the store is next opened.
            let _ = self.discard(&record).await;
            return Err(error);
        }
        self.tell(&Changed::Files);
        self.ask_to_persist();
        let FileRecord {
            name, bytes, added, ..
        } = record;
        Ok(DataFile { name, bytes, added })
    }

    async fn fill(
        &self,
        record: &mut FileRecord,
        bytes: &Blob,
        replace: bool,
        progress: impl Fn(f64),
        cancel: &Cancel,
    ) -> Result<(), StoreError> {
        if record.place == Place::Opfs {
            self.write_parts(&record.id, bytes, progress, cancel)
                .await?;
        }
        let transaction = self.database().write(&[FILES, BLOBS])?;
        let all: Vec<FileRecord> = transaction.all(FILES).await?;
        free(&all, &record.name, replace)?;
        if cancel.is_cancelled() {
            return Err(StoreError::Cancelled);
        }
        if record.place == Place::Blob {
            transaction.put_value(BLOBS, &record.id, bytes)?;
        }
        record.state = FileState::Whole;
        transaction.put(FILES, &record.id, record)?;
        let old = all
            .into_iter()
            .find(|one| is_whole(one) && same_name(&one.name, &record.name));
        if let Some(old) = &old {
            let state = FileState::Going;
            transaction.put(
                FILES,
                &old.id,
                &FileRecord {
                    state,
                    ..old.clone()
                },
            )?;
        }
        let committed = transaction.commit().await;
        if committed.is_err() {
            record.state = FileState::Partial;
        }
        committed?;
        match old {
            Some(old) => self.discard(&old).await,
            None => Ok(()),
        }
    }

    async fn write_parts(
        &self,
        id: &str,
        bytes: &Blob,
        progress: impl Fn(f64),
        cancel: &Cancel,
    ) -> Result<(), StoreError> {
        let writing = self.opfs()?.write(id).await?;
        let size = bytes.size();
        let mut done = 0.0;
        while done < size {
            let end = (done + PART).min(size);
            writing
                .add(&bytes.slice_with_f64_and_f64(done, end)?)
                .await?;
            done = end;
            if cancel.is_cancelled() {
                return Err(StoreError::Cancelled);
            }
            progress(done);
        }
        writing.finish().await
    }

    /// Deletes a data file.
    pub async fn remove_file(&self, name: &str) -> Result<(), StoreError> {
        let records = self.records().await?;
        let found = { records }
            .into_iter()
            .find(|one| is_whole(one) && same_name(&one.name, name));
        let mut record = found.ok_or_else(|| missing(name))?;
        record.state = FileState::Going;
        self.put_record(&record).await?;
        self.discard(&record).await?;
        self.tell(&Changed::Files);
        Ok(())
    }

    /// Takes away what tabs that ended in mid-work left.
    pub(super) async fn collect_files(&self) -> Result<(), StoreError> {
        // The listing comes first: what is not in the journal then is nobody's.
        let names = match &self.0.opfs {
            Some(folder) => folder.names().await?,
            None => Vec::new(),
        };
        let records = self.records().await?;
        for record in records.iter().filter(|record| !is_whole(record)) {
            if let Some(_free) = free_to_collect(&record.id).await? {
                self.discard(record).await?;
            }
        }
        let known = |name: &String| records.iter().any(|record| record.id == *name);
        for name in names.iter().filter(|name| !known(name)) {
            self.opfs()?.remove(name).await?;
        }
        Ok(())
    }

    /// Deletes the bytes and then the journal's entry.
    async fn discard(&self, record: &FileRecord) -> Result<(), StoreError> {
        if record.place == Place::Opfs {
            self.opfs()?.remove(&record.id).await?;
        }
        let transaction = self.database().write(&[FILES, BLOBS])?;
        transaction.delete(BLOBS, &record.id)?;
        transaction.delete(FILES, &record.id)?;
        transaction.commit().await
    }

    async fn records(&self) -> Result<Vec<FileRecord>, StoreError> {
        self.database().read(&[FILES])?.all(FILES).await
    }

    async fn put_record(&self, record: &FileRecord) -> Result<(), StoreError> {
        let transaction = self.database().write(&[FILES])?;
        transaction.put(FILES, &record.id, record)?;
        transaction.commit().await
    }

    fn opfs(&self) -> Result<&super::opfs::Folder, StoreError> {
        let none = || StoreError::Failed("its private file system is gone".into());
        self.0.opfs.as_ref().ok_or_else(none)
    }
}

/// Refuses a name that is taken, unless its file is to be replaced.
fn free(all: &[FileRecord], name: &str, replace: bool) -> Result<(), StoreError> {
    let taken = all
        .iter()
        .find(|one| is_whole(one) && same_name(&one.name, name));
    match taken {
        Some(other) if !replace => Err(StoreError::NameTaken(other.name.clone())),
        _ => Ok(()),
    }
}

/// The lock of a file that no tab is writing.
async fn free_to_collect(id: &str) -> Result<Option<Held>, StoreError> {
    locks::request(&lock_of(id), Ask::IfFree).await
}

fn lock_of(id: &str) -> String {
    format!("spoor:file:{id}")
}

fn is_whole(record: &FileRecord) -> bool {
    record.state == FileState::Whole
}

fn missing(name: &str) -> StoreError {
    StoreError::Missing(format!("the file {name}"))
}
