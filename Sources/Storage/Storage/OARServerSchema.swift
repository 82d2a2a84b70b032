// OAR 2.5's tables about the cluster and the server: resources, queues, events, rules, accounting.

let resourceTables: [SchemaTable] = [
  SchemaTable(
    "resources", key: ["resource_id"],
    [
      .serial("resource_id"), .word("type", 100, default: "default"),
      .word("network_address", 100),
      .choice("state", 9, ["Alive", "Dead", "Suspected", "Absent"]),
      .choice("next_state", 9, ["UnChanged", "Alive", "Dead", "Absent", "Suspected"]),
      .flag("finaud_decision"), .flag("next_finaud_decision"), .number("state_num"),
      .flag("suspended_jobs"), .number("scheduler_priority"), .word("cpuset", 255, default: "0"),
      .flag("besteffort", default: "YES"), .flag("deploy"), .number("expiry_date"),
      .flag("desktop_computing"), .number("last_job_date"),
      .number("available_upto", default: 2_147_483_647), .number("last_available_upto"),
      .flag("drain"),
    ],
    indexes: [
      SchemaIndex("resource_network_address", "network_address"),
      SchemaIndex("resource_next_state", "next_state"), SchemaIndex("resource_state", "state"),
      SchemaIndex("resource_suspended_jobs", "suspended_jobs"),
      SchemaIndex("resource_type", "type"),
    ]),
  SchemaTable(
    "resource_logs", key: ["resource_log_id"],
    [
      .serial("resource_log_id"), .number("resource_id"), .word("attribute", 255),
      .word("value", 255), .number("date_start"), .number("date_stop"), .flag("finaud_decision"),
    ],
    indexes: [
      SchemaIndex("attribute", "attribute"), SchemaIndex("date_start", "date_start"),
      SchemaIndex("date_stop", "date_stop"), SchemaIndex("finaud", "finaud_decision"),
      SchemaIndex("ix_resource_logs_id_dstop_attr", "resource_id", "date_stop", "attribute"),
      SchemaIndex("resource", "resource_id"), SchemaIndex("resource_id", "resource_id"),
      SchemaIndex("val", "value"),
    ]),
]

let serverTables: [SchemaTable] = [
  SchemaTable(
    "schema", [.word("version", 255, default: nil), .word("name", 255, default: nil)]),
  SchemaTable(
    "queues", key: ["queue_name"],
    [
      .word("queue_name", 100), .number("priority"), .word("scheduler_policy", 100),
      .choice("state", 9, ["Active", "notActive"]),
    ]),
  SchemaTable(
    "scheduler", key: ["name"],
    [
      .word("name", 100, default: nil), .word("script", 100, default: nil),
      .word("description", 255, default: nil),
    ]),
  SchemaTable(
    "admission_rules", key: ["id"],
    [
      .serial("id"), .number("priority"), .flag("enabled", default: "YES"),
      SchemaColumn("rule", .text),
    ]),
  SchemaTable(
    "accounting",
    key: [
      "window_start", "window_stop", "accounting_user", "accounting_project", "queue_name",
      "consumption_type",
    ],
    [
      .number("window_start", default: nil), .number("window_stop"), .word("accounting_user", 255),
      .word("accounting_project", 255), .word("queue_name", 100),
      .choice("consumption_type", 5, ["ASKED", "USED"]),
      SchemaColumn("consumption", .bigint, default: .integer(0)),
    ],
    indexes: [
      SchemaIndex("accounting_project", "accounting_project"),
      SchemaIndex("accounting_queue", "queue_name"),
      SchemaIndex("accounting_type", "consumption_type"),
      SchemaIndex("accounting_user", "accounting_user"),
    ]),
  SchemaTable(
    "event_logs", key: ["event_id"],
    [
      .serial("event_id"), .word("type", 50), .number("job_id"), .number("date"),
      .word("description", 255), .flag("to_check", default: "YES"),
    ],
    indexes: [
      SchemaIndex("event_check", "to_check"), SchemaIndex("event_job_id", "job_id"),
      SchemaIndex("event_type", "type"),
    ]),
  SchemaTable(
    "event_log_hostnames", key: ["event_id", "hostname"],
    [.number("event_id"), .word("hostname", 255)],
    indexes: [SchemaIndex("event_hostname", "hostname")]),
  SchemaTable(
    "files", key: ["file_id"],
    [
      .serial("file_id"), .optional("md5sum", .varchar(255)), .optional("location", .varchar(255)),
      .optional("method", .varchar(255)), .optional("compression", .varchar(255)),
      .number("size"),
    ],
    indexes: [SchemaIndex("md5sum", "md5sum")]),
]
