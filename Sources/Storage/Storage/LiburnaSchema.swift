// Our own tables and indexes beside OAR's: what its columns have no place for. All are named
// `liburna_…`, so that no tool of OAR's takes them for its own.

/// Our tables.
public let liburnaSchema: [SchemaTable] = [
  // Facts about the database itself, such as the layout of these tables.
  SchemaTable(
    "liburna_facts", key: ["name"], [.word("name", 100), SchemaColumn("value", .text)]),
  // What a live job's OAR columns can't hold; jobs without a row have none of it.
  SchemaTable(
    "liburna_jobs", key: ["job_id"], [.number("job_id"), .number("reservation_start")]),
  // Arrays accepted as a whole. The first `next_index` jobs have all their rows in OAR's tables, of
  // the others some do; the row goes when all have.
  SchemaTable(
    "liburna_arrays", key: ["first_job_id"],
    [.number("first_job_id"), .number("job_count"), .number("next_index")]),
  // What the jobs of such an array are; apart, since it is large and the progress is written often.
  SchemaTable(
    "liburna_array_requests", key: ["first_job_id"],
    [
      .number("first_job_id"), SchemaColumn("template", .blob), SchemaColumn("commands", .blob),
    ]),
]

/// Indexes of ours on OAR's tables, by table.
public let liburnaIndexes: [String: [SchemaIndex]] = [
  "jobs": [SchemaIndex("liburna_jobs_user", "job_user")]
]

/// The layout of our tables, in `liburna_facts` under the name `layout`. A newer one is refused.
public let liburnaLayout = 1
