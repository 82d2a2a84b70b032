// What `oar.conf` says to the server.

import Bebida
import ClusterModel
import Glibc
import Kamelot
import Kao
import NodeConnections
import Wire

/// The server's settings. Names in capitals are variables of `oar.conf`.
public struct ServerSettings: Sendable {
  /// LIBURNA_SOCKET: where commands on this host connect.
  public var socketPath: String
  /// SERVER_PORT: where commands on other hosts connect, with MUNGE; 0 for not at all.
  public var port: Int
  /// DB_TYPE and the variables with it.
  public var database: DatabaseChoice
  /// LIBURNA_NODE_COMMAND: how an agent is reached; `{host}` stands for the host.
  public var nodeCommand: CommandTemplate
  public var connections = ConnectionSettings()
  /// LIBURNA_NODE_TIMEOUT: a host that has not answered for so many seconds becomes Suspected.
  public var nodeTimeout: Seconds
  /// JOBDEL_SOFTWALLTIME: seconds between SIGTERM and SIGKILL.
  public var killGrace: Seconds
  /// What plans depend on.
  public var planning: PlanningSettings
  /// SCHEDULER_MIN_TIME_BETWEEN_2_CALLS: seconds from one planning pass to the next at least.
  public var passInterval: Seconds
  /// SCHEDULER_RESOURCE_ORDER: which resources are taken first.
  public var resourceOrder: ResourceOrder
  /// SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS: the same for new reservations; `nil` if it is the same.
  public var reservationOrder: ResourceOrder?
  /// OARSUB_DEFAULT_RESOURCES: the request of a job without `-l`.
  public var defaultResources: String
  /// OARSUB_NODES_RESOURCES: the property that `nodes` means.
  public var nodesProperty: String
  /// DEFAULT_JOB_WALLTIME in seconds.
  public var defaultWalltime: Seconds
  /// CPUSET_PATH: the cgroup of all jobs on a host.
  public var cgroupPath: String
  /// JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD: the property with a resource's PU numbers; `nil` for no cpusets.
  public var cpusetProperty: String?
  /// LIBURNA_MEMORY_PROPERTY: the property with a resource's share of its host's memory in MiB, to which jobs
  /// are confined; `nil` for no limit.
  public var memoryProperty: String?
  /// USERS_ALLOWED_HOLD_RESUME: whether users may suspend their running jobs.
  public var usersMaySuspend: Bool

  /// Users who may have any number of reservations that wait: the lines of `unlimited_reservation.users` in
  /// the home directory of the user `oar`, as in OAR.
  public var unlimitedReservationUsers: Set<String> = []
  /// SCHEDULER_NODE_MANAGER_… and ENERGY_SAVING_…: when hosts sleep; `nil` if they never do.
  public var sleep: SleepSettings?
  /// WALLTIME_CHANGE_ENABLED and its variables: what users may ask of the walltimes of running jobs.
  public var walltimePolicy = WalltimePolicy()
  /// JOB_PRIORITY and its variables: in which order waiting jobs are planned.
  public var order = OrderSettings()
  /// QUOTAS and its variables; `nil` without quotas.
  public var quotas: QuotaSettings?
  /// LIBURNA_WITH_OAR2: the server stands in the place of OAR 2's Almighty; `nil` on a database of its own.
  public var withOAR2: OAR2Settings?
  /// SERVER_PROLOGUE_EXEC_FILE, SERVER_EPILOGUE_EXEC_FILE: the site's programs on the server.
  public var hooks = ServerHooks()
  /// BEBIDA_KUBECONFIG and its variables: lending to Kubernetes; `nil` for none.
  public var lending: LendingConfiguration?
  /// What clocks at the server show.
  public var clock = LocalClock()

  /// Reads the settings, and the files that they name.
  ///
  /// - Throws: ``ConfigurationError`` or `CommandTemplate.Failure`, naming variable and value.
  public init(_ configuration: Configuration) throws {
    database = try DatabaseChoice(configuration)
    withOAR2 = try OAR2Settings(configuration) { name in
      getenv(name).map { String(cString: $0) }
    }
    socketPath = configuration.text("LIBURNA_SOCKET", default: serverSocketPath)
    port =
      try withOAR2?.port ?? configuration.integer("SERVER_PORT", default: serverPort, in: 0...65535)
    if withOAR2 != nil, configuration["LIBURNA_NODE_COMMAND"] == nil {
      let delivery = try ProgramDelivery(
        file: OAR2NodeSettings.program(configuration), ssh: OAR2NodeSettings.ssh(configuration))
      connections.delivery = delivery
      nodeCommand = delivery.start
    } else {
      nodeCommand = try CommandTemplate(
        configuration.text(
          "LIBURNA_NODE_COMMAND", default: "ssh -o BatchMode=yes root@{host} liburna-node agent"))
    }
    nodeTimeout = try configuration.integer("LIBURNA_NODE_TIMEOUT", default: 30, in: 1...86400)
    connections.silenceLimit = Double(max(1, nodeTimeout / 2))
    connections.pingInterval = min(5, Double(nodeTimeout) / 4)
    killGrace = try configuration.integer("JOBDEL_SOFTWALLTIME", default: 20, in: 0...3600)
    planning = try PlanningSettings(configuration)
    passInterval = try configuration.integer(
      "SCHEDULER_MIN_TIME_BETWEEN_2_CALLS", default: 0, in: 0...86400)
    // OAR's own configuration says 5: so often its metascheduler may be started. A pass of ours is none.
    if withOAR2 != nil { passInterval = 0 }
    resourceOrder = try ResourceOrder(
      configuration.text("SCHEDULER_RESOURCE_ORDER", default: ResourceOrder.standard))
    reservationOrder = try ResourceOrder.ofReservations(configuration)
    defaultResources = configuration.text("OARSUB_DEFAULT_RESOURCES", default: "/resource_id=1")
    nodesProperty = configuration.text("OARSUB_NODES_RESOURCES", default: "network_address")
    defaultWalltime = try configuration.integer(
      "DEFAULT_JOB_WALLTIME", default: 7200, in: 1...endOfTime)
    cgroupPath = configuration.text("CPUSET_PATH", default: "/oar")
    cpusetProperty = configuration.text("JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD", default: "cpuset")
    if cpusetProperty == "" { cpusetProperty = nil }
    // On an OAR 2 site that has no cpusets the property may hold any numbers.
    if withOAR2?.nodes.usesCPUSets == false { cpusetProperty = nil }
    memoryProperty = configuration["LIBURNA_MEMORY_PROPERTY"].flatMap { $0.isEmpty ? nil : $0 }
    usersMaySuspend = try configuration.flag("USERS_ALLOWED_HOLD_RESUME", default: false)
    sleep = try SleepSettings(configuration)
    planning.usesSleepingHosts = sleep?.policy.wakesHosts ?? false
    walltimePolicy = try WalltimePolicy(configuration)
    unlimitedReservationUsers = unlimitedReservationUsersOfSite()
    order = try OrderSettings.ofSite(configuration)
    quotas = try QuotaSettings(configuration)
    hooks = try ServerHooks(configuration)
    lending = try LendingConfiguration(configuration, intents: "/var/lib/oar/lending")
    clock = LocalClock.ofThisHost(from: time(nil))
  }
}
