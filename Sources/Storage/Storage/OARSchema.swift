// OAR 2.5's tables (schema 2.5.10): jobs, their requests, the plan, queues and accounting.

/// The version in the `schema` table of a new database.
public let oarSchemaVersion = "2.5.10"

/// Every table of OAR 2.5, by name. Names, columns, defaults and indexes are a contract with the
/// tools that read OAR databases: they change only when OAR's do.
public let oarSchema: [SchemaTable] =
  requestTables + jobTables + planTables + resourceTables + serverTables

/// The words of `jobs.state` and `job_state_logs.job_state`; the first is the default.
private let jobStates = [
  "Waiting", "Hold", "toLaunch", "toError", "toAckReservation", "Launching", "Running",
  "Suspended", "Resuming", "Finishing", "Terminated", "Error",
]

/// Whether a row belongs to a job that has not ended.
private let liveness = ["CURRENT", "LOG"]

private let jobTables: [SchemaTable] = [
  SchemaTable(
    "jobs", key: ["job_id"],
    [
      .serial("job_id"), .number("array_id"), .number("array_index", default: 1),
      .optional("initial_request", .text), .optional("job_name", .varchar(100)),
      .optional("job_env", .text), .choice("job_type", 11, ["PASSIVE", "INTERACTIVE"]),
      .optional("info_type", .varchar(255)), .choice("state", 16, jobStates),
      .choice("reservation", 10, ["None", "toSchedule", "Scheduled"]), .word("message", 255),
      .word("scheduler_info", 255), .word("job_user", 255), .word("project", 255),
      .word("job_group", 255), .optional("command", .text), .optional("exit_code", .integer),
      .word("queue_name", 100), .optional("properties", .text),
      SchemaColumn("launching_directory", .text), .number("submission_time"),
      .number("start_time"), .number("stop_time"), .optional("file_id", .integer),
      .choice("accounted", 3, ["NO", "YES", "NA"]), .optional("notify", .varchar(255)),
      SchemaColumn("assigned_moldable_job", .integer, nullable: true, default: .integer(0)),
      .number("checkpoint"), .number("checkpoint_signal", default: nil),
      .optional("stdout_file", .text), .optional("stderr_file", .text),
      .number("resubmit_job_id"), .flag("suspended"),
    ],
    indexes: [
      SchemaIndex("accounted", "accounted"), SchemaIndex("job_array_id", "array_id"),
      SchemaIndex("queue_name", "queue_name"), SchemaIndex("reservation", "reservation"),
      SchemaIndex("state", "state"), SchemaIndex("state_id", "state", "job_id"),
      SchemaIndex("suspended", "suspended"),
    ]),
  SchemaTable(
    "job_state_logs", key: ["job_state_log_id"],
    [
      .serial("job_state_log_id"), .number("job_id"), .choice("job_state", 16, jobStates),
      .number("date_start"), .number("date_stop"),
    ],
    indexes: [SchemaIndex("id_job_log", "job_id"), SchemaIndex("state_job_log", "job_state")]),
  SchemaTable(
    "challenges", key: ["job_id"],
    [
      .number("job_id"), .word("challenge", 255),
      SchemaColumn("ssh_private_key", .text, default: .text("")),
      SchemaColumn("ssh_public_key", .text, default: .text("")),
    ],
    indexes: [SchemaIndex("challenge_job_id", "job_id")]),
  SchemaTable(
    "frag_jobs", key: ["frag_id_job"],
    [
      .number("frag_id_job"), .number("frag_date"),
      .choice("frag_state", 16, ["LEON", "TIMER_ARMED", "LEON_EXTERMINATE", "FRAGGED"]),
    ],
    indexes: [SchemaIndex("frag_state", "frag_state")]),
  SchemaTable(
    "walltime_change", key: ["job_id"],
    [
      .number("job_id"), .number("pending"), .flag("force"), .flag("delay_next_jobs"),
      .number("granted"), .number("granted_with_force"), .number("granted_with_delay_next_jobs"),
      .flag("whole"), .number("granted_with_whole"), .number("timeout"),
    ],
    indexes: [SchemaIndex("walltime_change_job_id", "job_id")]),
]

private let requestTables: [SchemaTable] = [
  SchemaTable(
    "moldable_job_descriptions", key: ["moldable_id"],
    [
      .serial("moldable_id"), .number("moldable_job_id"), .number("moldable_walltime"),
      .choice("moldable_index", 7, liveness),
    ],
    indexes: [
      SchemaIndex("job_mold", "moldable_job_id"), SchemaIndex("log_mold_desc", "moldable_index"),
    ]),
  SchemaTable(
    "job_resource_groups", key: ["res_group_id"],
    [
      .serial("res_group_id"), .number("res_group_moldable_id"),
      .optional("res_group_property", .text), .choice("res_group_index", 7, liveness),
    ],
    indexes: [
      SchemaIndex("log_res", "res_group_index"),
      SchemaIndex("moldable_job", "res_group_moldable_id"),
    ]),
  SchemaTable(
    "job_resource_descriptions",
    key: ["res_job_group_id", "res_job_resource_type", "res_job_order"],
    [
      .number("res_job_group_id"), .word("res_job_resource_type", 255), .number("res_job_value"),
      .number("res_job_order"), .choice("res_job_index", 7, liveness),
    ],
    indexes: [
      SchemaIndex("log_res_desc", "res_job_index"), SchemaIndex("resgroup", "res_job_group_id"),
    ]),
  SchemaTable(
    "job_types", key: ["job_type_id"],
    [
      .serial("job_type_id"), .number("job_id"), .word("type", 255),
      .choice("types_index", 7, liveness),
    ],
    indexes: [
      SchemaIndex("id_types", "job_id"), SchemaIndex("log_types", "types_index"),
      SchemaIndex("type", "type"),
    ]),
  SchemaTable(
    "job_dependencies", key: ["job_id", "job_id_required"],
    [
      .number("job_id"), .number("job_id_required"), .choice("job_dependency_index", 7, liveness),
    ],
    indexes: [SchemaIndex("id_dep", "job_id"), SchemaIndex("log_dep", "job_dependency_index")]),
]

private let planTables: [SchemaTable] = [
  SchemaTable(
    "assigned_resources", key: ["moldable_job_id", "resource_id"],
    [
      .number("moldable_job_id"), .number("resource_id"),
      .choice("assigned_resource_index", 7, liveness),
    ],
    indexes: [
      SchemaIndex("log", "assigned_resource_index"), SchemaIndex("mjob_id", "moldable_job_id"),
    ]),
  SchemaTable(
    "gantt_jobs_predictions", key: ["moldable_job_id"],
    [.number("moldable_job_id"), .number("start_time")]),
  SchemaTable(
    "gantt_jobs_predictions_log", key: ["sched_date", "moldable_job_id"],
    [.number("sched_date"), .number("moldable_job_id"), .number("start_time")]),
  SchemaTable(
    "gantt_jobs_predictions_visu", key: ["moldable_job_id"],
    [.number("moldable_job_id"), .number("start_time")]),
  SchemaTable(
    "gantt_jobs_resources", key: ["moldable_job_id", "resource_id"],
    [.number("moldable_job_id"), .number("resource_id")]),
  SchemaTable(
    "gantt_jobs_resources_log", key: ["sched_date", "moldable_job_id", "resource_id"],
    [.number("sched_date"), .number("moldable_job_id"), .number("resource_id")]),
  SchemaTable(
    "gantt_jobs_resources_visu", key: ["moldable_job_id", "resource_id"],
    [.number("moldable_job_id"), .number("resource_id")]),
]
