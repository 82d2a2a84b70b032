// The variables of `oar.conf` that anybody is known to read: we, OAR 2 or OAR 3. The one list of them in the
// code; the tests hold ours against Packaging/oar.conf.

/// Who reads a variable.
enum VariableReader: Hashable, Sendable {
  /// Liburna.
  case liburna
  /// Commands, nodes, hooks and tools of OAR 2, which stay whatever is taken.
  case tools
  /// OAR 2's schedulers and metascheduler: of no use to a queue or a site that ours plan.
  case planners
  /// Almighty and its modules: of no use once liburnad has their place.
  case server
  /// Nobody but OAR 3.
  case oar3
}

enum KnownVariables {
  /// Who reads a variable; `nil` if nobody is known to.
  static func reader(of name: String) -> VariableReader? {
    if let reader = readers[name] { return reader }
    return families.first { name.hasPrefix($0.prefix) }?.reader
  }

  /// All names, for somebody who looks for one that is like another.
  static var names: [String] { Array(readers.keys) }

  /// Ours, in the order of Packaging/oar.conf.
  static let ours = words(
    """
    SERVER_HOSTNAME SERVER_PORT LIBURNA_SOCKET USERS_ALLOWED_HOLD_RESUME DB_TYPE DB_BASE_FILE
    DB_HOSTNAME DB_PORT DB_BASE_NAME DB_BASE_LOGIN DB_BASE_PASSWD LIBURNA_NODE_COMMAND
    LIBURNA_NODE_TIMEOUT JOBDEL_SOFTWALLTIME CPUSET_PATH JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD
    LIBURNA_MEMORY_PROPERTY OARSUB_DEFAULT_RESOURCES OARSUB_NODES_RESOURCES DEFAULT_JOB_WALLTIME
    SCHEDULER_JOB_SECURITY_TIME MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND
    SCHEDULER_MIN_TIME_BETWEEN_2_CALLS SCHEDULER_RESOURCE_ORDER
    SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS_THRESHOLD
    RESERVATION_WAITING_RESOURCES_TIMEOUT SCHEDULER_BESTEFFORT_KILL_DURATION_BEFORE_RESERVATION
    SCHEDULER_GANTT_HOLE_MINIMUM_TIME SCHEDULER_RESOURCES_ALWAYS_ASSIGNED_TYPE
    SCHEDULER_AVAILABLE_SUSPENDED_RESOURCE_TYPE JOB_PRIORITY PRIORITY_CONF_FILE
    SCHEDULER_FAIRSHARING_WINDOW_SIZE SCHEDULER_FAIRSHARING_COEF_PROJECT
    SCHEDULER_FAIRSHARING_COEF_USER SCHEDULER_FAIRSHARING_COEF_USER_ASK
    SCHEDULER_FAIRSHARING_PROJECT_TARGETS SCHEDULER_FAIRSHARING_USER_TARGETS
    SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER QUOTAS QUOTAS_CONF_FILE QUOTAS_WINDOW_TIME_LIMIT
    QUOTAS_ALL_NB_RESOURCES_MODE WALLTIME_CHANGE_ENABLED WALLTIME_MAX_INCREASE
    WALLTIME_MIN_FOR_CHANGE WALLTIME_CHANGE_APPLY_TIME WALLTIME_INCREMENT
    WALLTIME_ALLOWED_USERS_TO_FORCE WALLTIME_ALLOWED_USERS_TO_DELAY_JOBS
    SCHEDULER_NODE_MANAGER_SLEEP_CMD SCHEDULER_NODE_MANAGER_WAKE_UP_CMD
    SCHEDULER_NODE_MANAGER_IDLE_TIME SCHEDULER_NODE_MANAGER_SLEEP_TIME
    SCHEDULER_NODE_MANAGER_WAKEUP_TIME ENERGY_SAVING_MODE ENERGY_SAVING_INTERNAL
    ENERGY_SAVING_NODE_MANAGER_SLEEP_CMD ENERGY_SAVING_NODE_MANAGER_WAKE_UP_CMD
    ENERGY_SAVING_NODE_MANAGER_WAKEUP_TIMEOUT ENERGY_SAVING_NODES_KEEPALIVE LIBURNA_WITH_OAR2
    LIBURNA_OAR2_POLL JOBDEL_WALLTIME LIBURNA_NODE_PROGRAM PROLOGUE_EXEC_FILE EPILOGUE_EXEC_FILE
    PROLOGUE_EPILOGUE_TIMEOUT SERVER_PROLOGUE_EXEC_FILE SERVER_EPILOGUE_EXEC_FILE
    SERVER_PROLOGUE_EPILOGUE_TIMEOUT LIBURNA_SERVER_PROLOGUE_FAILURES JUST_AFTER_SUSPEND_EXEC_FILE
    JUST_BEFORE_RESUME_EXEC_FILE SUSPEND_RESUME_SCRIPT_TIMEOUT BEBIDA_KUBECONFIG BEBIDA_CONTEXT
    BEBIDA_PROPERTY BEBIDA_GRACE BEBIDA_NOTICE BEBIDA_SHORTEST_HOLE BEBIDA_PATIENCE
    BEBIDA_DAEMON_SETS BEBIDA_POD_CGROUPS BEBIDA_STOP_KUBELET BEBIDA_START_KUBELET BEBIDA_NODES
    BEBIDA_INTENTS HIERARCHY_LABELS SCHEDULER_TIMEOUT
    SCHEDULERS_PATH META_SCHED_CMD METASCHEDULER_MODE SCHEDULER_LAUNCHER_OPTIMIZATION SCHEDULER_LOG_DECISIONS SCHEDULER_PRIORITY_HIERARCHY_ORDER
    LOG_LEVEL OPENSSH_CMD OAR_SSH_CONNECTION_TIMEOUT SUSPEND_RESUME_FILE OAR_RUNTIME_DIRECTORY
    """)

  /// Names that begin alike.
  private static let families: [(prefix: String, reader: VariableReader)] = [
    ("API_", .tools), ("OARSH_", .tools), ("OARSTAT_", .tools), ("OARSUB_", .tools),
    ("PHOENIX_", .tools), ("OARMONITOR_", .tools), ("PINGCHECKER_", .server), ("MAIL_", .server),
    ("ENERGY_SAVING_WINDOW_", .server), ("SQLALCHEMY_", .oar3), ("PROXY", .oar3),
    ("BIPBIP_COMMANDER_", .oar3), ("GRETA_", .oar3), ("CUSTOM_JOB_SORTING", .oar3),
    ("EXTRA_METASCHED", .oar3),
  ]

  private static let others: [(VariableReader, [String])] = [
    (
      .tools,
      words(
        """
        ACCOUNTING_WINDOW COSYSTEM_HOSTNAME DB_BASE_LOGIN_RO DB_BASE_PASSWD_RO
        DEPLOY_COSYSTEM_JOB_EXEC_SYSTEM DEPLOY_HOSTNAME GET_CURRENT_CPUSET_CMD HTPASSWD_FILE
        INSTANCE_NAME LOG_CATEGORIES LOG_FILE LOG_FORMAT MONITOR_FILE_SENSOR OAREXEC_DEBUG_MODE
        OAR_SSH_AUTHORIZED_KEYS_FILE OPENSSH_OPTSTR OPENSSH_OPTSTR_FILTERED STAGEIN_DIR
        STORABLE_RECURSION_LIMIT TAKTUK_CMD
        """)
    ),
    (
      .server,
      words(
        """
        ACTIVATE_PINGCHECKER_AT_JOB_END CHECK_NODES_WITH_RUNNING_JOB COMPUTE_THREAD_SIBLINGS
        DEAD_SWITCH_TIME DEBUG_REMOTE_COMMANDS DETACH_JOB_FROM_SERVER DISABLE_SUSPECTED_NODES_REPAIR ENERGY_MAX_CYCLES_UNTIL_REFRESH
        FINAUD_FREQUENCY INTERACTIVE_JOB_HOOK_EXEC_FILE JOB_RESOURCE_MANAGER_FILE
        KILL_INNER_JOBS_WITH_CONTAINER MAX_CONCURRENT_JOBS_STARTING_OR_TERMINATING
        METASCHEDULER_OAR3_WITH_OAR2 NODE_FILE_DB_FIELD NODE_FILE_DB_FIELD_DISTINCT_VALUES
        PASSIVE_JOB_HOOK_EXEC_FILE NOTIFY_TCP_SOCKET_ENABLED SUSPECTED_HEALING_EXEC_FILE
        SUSPECTED_HEALING_TIMEOUT WALLTIME_CHANGE_TIMEOUT
        WALLTIME_REDUCTION_DISALLOWED
        """)
    ),
    (
      .planners,
      words(
        """
        ADVANCE_RESERVATION_VALIDATION_HOOK_EXEC_FILE GET_RESOURCES_BACK_FOR_RESERVATION
        LOG_SCHEDULER_PRIORITY_CHANGES SCHEDULER_NB_PROCESSES SCHEDULER_TOKEN_SCRIPTS
        """)
    ),
    (
      .oar3,
      words(
        """
        ADMISSION_RULES_IN_FILES ADMISSION_RULES_PATH APPENDICE_SERVER_PORT BATSCHED_ENDPOINT
        DS_PREFIX FAIRSHARING_ENABLED KAMELOT_GET_RESOURCES_HIERARCHY_MODE OAR_PROXY_BASE_URL
        QUOTAS_PERIOD REDIS_HOSTNAME REDIS_PORT SCHEDULER_JOB_SCHEDULING_TIME_YAML
        SCHEDULER_LOG_JOB_SCHEDULING_TIME WLOAD_BATSIM
        """)
    ),
  ]

  private static let readers: [String: VariableReader] = {
    var readers: [String: VariableReader] = [:]
    for (reader, names) in others { for name in names { readers[name] = reader } }
    for name in ours { readers[name] = .liburna }
    return readers
  }()

  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  /// The known name that differs from a word by a slip or two; `nil` if none does.
  static func similar(to word: String) -> String? {
    let near = names.filter { abs($0.utf8.count - word.utf8.count) <= 2 }
      .map { (name: $0, distance: distance(Array($0.utf8), Array(word.utf8))) }
    let best = near.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    return best.flatMap { $0.distance <= 2 ? $0.name : nil }
  }

  /// How many letters have to be changed, added or left out.
  private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var row = Array(0...second.count)
    for (index, byte) in first.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for place in second.indices {
        let change = diagonal + (second[place] == byte ? 0 : 1)
        diagonal = row[place + 1]
        row[place + 1] = min(change, row[place] + 1, row[place + 1] + 1)
      }
    }
    return row[second.count]
  }
}
