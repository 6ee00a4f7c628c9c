//! Provisioned groups.

use lanyard_core::id::{DirectoryId, GroupId};
use lanyard_core::scim::group::ProvisionedGroup;
use lanyard_core::scim::search::{Condition, Found, GroupTest, Search};
use lanyard_core::store::StoreError;

use super::condition::{self, Statement};
use crate::directory::group;
use crate::row::Row;
use crate::sql::SqlTx;

fn provisioned(row: &mut Row<'_>) -> Result<ProvisionedGroup, StoreError> {
    Ok(ProvisionedGroup {
        group: group(row)?,
        directory: row.id()?,
        external_id: row.maybe_text()?,
    })
}

pub(super) fn find(
    tx: &mut SqlTx<'_>,
    directory: &DirectoryId,
    id: &GroupId,
) -> Result<Option<ProvisionedGroup>, StoreError> {
    tx.find(
        "SELECT g.id, g.name, g.kind, g.version, g.created_at, g.updated_at, s.directory, s.external_id
         FROM scim_groups s JOIN user_groups g ON g.id = s.group_id WHERE s.group_id = $1 AND s.directory = $2",
        &[id.into(), directory.into()],
        provisioned,
    )
}

pub(super) fn put(tx: &mut SqlTx<'_>, group: &ProvisionedGroup) -> Result<(), StoreError> {
    tx.change(
        "provisioned group",
        "INSERT INTO scim_groups (group_id, directory, external_id, display_name) VALUES ($1, $2, $3, $4)
         ON CONFLICT (group_id) DO UPDATE SET external_id = excluded.external_id,
         display_name = excluded.display_name WHERE scim_groups.directory = excluded.directory",
        &[
            (&group.group.id).into(),
            (&group.directory).into(),
            group.external_id.as_ref().into(),
            (&group.group.name.to_lowercase()).into(),
        ],
    )
}

pub(super) fn search(
    tx: &mut SqlTx<'_>,
    directory: &DirectoryId,
    search: &Search<GroupTest>,
) -> Result<Found<ProvisionedGroup>, StoreError> {
    let statement = Statement {
        columns: "g.id, g.name, g.kind, g.version, g.created_at, g.updated_at, s.directory, s.external_id",
        from: "scim_groups s JOIN user_groups g ON g.id = s.group_id",
        key: "s.group_id",
    };
    let everything = Condition::All(Vec::new());
    let condition = search.condition.as_ref().unwrap_or(&everything);
    condition::search(
        tx,
        &statement,
        directory,
        (condition, search.offset, search.limit),
        provisioned,
    )
}
