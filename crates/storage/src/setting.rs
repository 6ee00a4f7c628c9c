//! Single values of the deployment.
//!
//! Owns the table `settings`. Never knows what a value means.

use lanyard_core::store::StoreError;
use lanyard_core::store::setting::SettingStore;

use crate::sql::SqlTx;

impl SettingStore for SqlTx<'_> {
    fn find_setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.find("SELECT value FROM settings WHERE name = $1", &[name.into()], |row| {
            row.text()
        })
    }

    fn insert_setting(&mut self, name: &str, value: &str) -> Result<String, StoreError> {
        self.execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            &[name.into(), value.into()],
        )?;
        self.only("SELECT value FROM settings WHERE name = $1", &[name.into()], |row| {
            row.text()
        })
    }

    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            &[name.into(), value.into()],
        )?;
        Ok(())
    }
}
