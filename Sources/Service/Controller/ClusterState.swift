// The cluster in the server's memory. Its methods are the decisions: an event comes in, the state changes,
// and what must be made durable and done about it goes into an Outcome. No I/O, no clock.

import ClusterModel
import Kamelot
import Kao
import RequestLanguage
import Storage
import Wire

/// What an event leads to: changes to commit, and effects that follow once they are durable.
struct Outcome {
  var changes: [Change] = []
  var effects: [Effect] = []
}

/// Something to do outside the state. Doing one twice does no harm.
enum Effect {
  /// Start the job on its hosts.
  case launch(JobID)
  /// End the job's attempt.
  case kill(JobID)
  case signal(JobID, Int)
  /// Give up a job that OAR's own programs run and can't end.
  case exterminate(JobID)
  case suspend(JobID)
  case resume(JobID)
  /// The walltime of a running job changed.
  case walltime(JobID)
  /// Tell hosts to wake, or to sleep.
  case wakeHosts([String])
  case haltHosts([String])
  /// The hosts to connect to may have changed.
  case hostsChanged
  /// A job changed; subscribers hear of it.
  case notice(JobNotice)
  /// Tell the command that the job's user named.
  case tellUser(Job, JobTag)
  /// Jobs below this id are in the store: they can be planned.
  case jobsDurable(below: JobID)
  /// The job is over and its record is in the store.
  case forget(JobID)
}

struct ClusterState {
  var resources: [ResourceID: Resource] = [:] {
    didSet { forgetPlatforms() }
  }
  var properties: [PropertyDefinition] = [] {
    didSet { forgetPlatforms() }
  }
  var queues: [Queue] = []
  /// Jobs that have not ended.
  var jobs: [JobID: Job] = [:]
  /// Waiting and held jobs of each queue, in order of submission.
  var lines: [String: WaitingLine] = [:]
  /// Waiting jobs that are advance reservations, decided or not; these stand in no line.
  var reserved: Set<JobID> = []
  /// When a job last ended on a resource; apart from the resources because planning does not look at it.
  var lastJobDates: [ResourceID: Instant] = [:]
  /// Jobs that have resources.
  var holding: Set<JobID> = []
  /// Suspended jobs that are to go on when their resources are free.
  var resuming: Set<JobID> = []
  /// Running jobs of whose walltime something is asked and not granted yet.
  var changing: Set<JobID> = []
  /// Hosts that were told to wake or to sleep and are not there yet.
  var transitions: [String: HostTransition] = [:]
  /// When hosts were told to wake.
  var lastWakes: [String: Instant] = [:]
  /// Besteffort jobs whose end was asked for because they give way: an idempotent one runs again.
  var victims: Set<JobID> = []
  /// Jobs that ended but may not be in the store yet.
  var ended: [JobID: JobRecord] = [:]
  /// Jobs from this id on are not durable yet: they can't be planned.
  var durableBelow: JobID = 1
  var nextJob: JobID = 1
  var nextMoldable: MoldableID = 1
  var nextResource: ResourceID = 1
  /// What the last pass said.
  var plan = Plan()
  var placements: [JobID: Placement] = [:]
  /// Whether anybody subscribes: notices are made only then.
  var hasFollowers = false
  /// Something changed that a pass should look at.
  var needsPlan = false { didSet { if needsPlan { standing = nil } } }
  /// The last whole pass, while nothing has happened since but submissions.
  var standing: StandingPlan?
  /// Jobs from this id on came after it.
  var plannedBelow: JobID = 1
  /// Jobs came that were not planned yet.
  var hasNewcomers = false
  /// When a pass should look again though nothing may have changed; `nil` for never.
  var nextLook: Instant?

  /// On a database that others share: jobs that OAR's own programs run.
  var runByOAR: Set<JobID> = []
  /// On a database that others share: the ids that the next submission takes, which nobody else has.
  var reservedIDs: ReservedIDs?

  /// What users and projects had in the window of fair shares, as it was when it was last worked out.
  var usage = UsageSums()

  /// Whether this is the metascheduler of an OAR 2 server: OAR 2's own modules take the other steps of a job.
  var isBesideOAR2 = false

  private var platformCache: Platform?
  private var reservationPlatformCache: Platform?
  private var quotaCache: (allResources: Int, quotas: Quotas)?

  init() {}

  /// The state as it was stored.
  init(stored: StoredCluster) {
    resources = Dictionary(uniqueKeysWithValues: stored.resources.map { ($0.id, $0) })
    properties = stored.properties
    queues = stored.queues
    nextJob = stored.nextJob
    durableBelow = stored.nextJob
    nextMoldable = stored.nextMoldable
    nextResource = stored.nextResource
    jobs.reserveCapacity(stored.jobs.count)
    for job in stored.jobs { file(job) }
    needsPlan = true
  }

  /// Takes up a job that has its rows in the store, in whatever state it is.
  mutating func file(_ job: Job) {
    jobs[job.id] = job
    if job.state.holdsResources {
      holding.insert(job.id)
      if job.state == .resuming { resuming.insert(job.id) }
      if let change = job.walltimeChange, change.pending != 0 { changing.insert(job.id) }
    } else if job.reservation != .none {
      reserved.insert(job.id)
    } else {
      lines[job.queue, default: WaitingLine()].append(job.id)
    }
  }

  /// The resources as planning sees them, indexed once until one changes.
  mutating func platform(order: ResourceOrder) -> Platform {
    if let platformCache { return platformCache }
    let platform = Platform(resources: order.sorted(resources.values))
    platformCache = platform
    return platform
  }

  /// The resources in the order in which new reservations prefer them; `nil` if that is the usual one.
  mutating func reservationPlatform(_ settings: ServerSettings) -> Platform? {
    if let reservationPlatformCache { return reservationPlatformCache }
    reservationPlatformCache = settings.reservationOrder.map {
      Platform(resources: $0.sorted(resources.values))
    }
    return reservationPlatformCache
  }

  private mutating func forgetPlatforms() {
    platformCache = nil
    standing = nil
    reservationPlatformCache = nil
  }

  /// The site's quotas for the cluster as it is, read anew when what `ALL` means changes.
  mutating func quotas(_ settings: ServerSettings) -> Quotas? {
    guard let document = settings.quotas else { return nil }
    let platform = platform(order: settings.resourceOrder)
    let count =
      settings.planning.quotasCountDead
      ? platform.resources.count { $0.type == "default" } : platform.ordinaryCount
    if let quotaCache, quotaCache.allResources == count { return quotaCache.quotas }
    let quotas = document.quotas(allResources: count, clock: settings.clock)
    quotaCache = quotas.map { (count, $0) }
    return quotas
  }

  /// The columns of `resources`, the site's own included.
  var columns: Set<String> { Set(standardResourceColumns + properties.map(\.name)) }

  /// The hosts of resources, without repetition, in the order of the resources; those that have ordinary
  /// resources first, since the first host runs the command.
  func hosts(of ids: [ResourceID]) -> [String] {
    var seen: Set<String> = []
    var others: [String] = []
    var hosts: [String] = []
    for resource in ids.lazy.compactMap({ resources[$0] }) {
      let host = resource.networkAddress
      if host.isEmpty { continue }
      if resource.type != "default" {
        others.append(host)
      } else if seen.insert(host).inserted {
        hosts.append(host)
      }
    }
    return others.isEmpty ? hosts : hosts + others.filter { seen.insert($0).inserted }
  }

  /// All hosts that have a resource.
  var allHosts: Set<String> { Set(resources.values.map(\.networkAddress)).subtracting([""]) }

  /// The resources that a selection names; all for an empty one.
  func select(_ selection: ResourceSelection) throws(Refusal) -> [Resource] {
    if selection.isEmpty { return resources.values.sorted { $0.id < $1.id } }
    var chosen: Set<ResourceID> = Set(selection.ids.filter { resources[$0] != nil })
    let hosts = Set(selection.hosts)
    let condition = try selection.condition.map { text throws(Refusal) in
      try expression(text, of: columns)
    }
    for resource in resources.values {
      if hosts.contains(resource.networkAddress) || condition?.matches(resource) == true {
        chosen.insert(resource.id)
      }
    }
    return chosen.sorted().compactMap { resources[$0] }
  }

  /// Parses a condition and checks that it names columns only.
  func expression(
    _ text: String, of columns: Set<String>
  ) throws(Refusal) -> PropertyExpression {
    do {
      let expression = try PropertyExpression(parsing: text)
      if let unknown = expression.columns.subtracting(columns).min() {
        throw Refusal(
          .badProperty,
          "there is no property \"\(unknown)\"; known are: \(columns.sorted().joined(separator: ", "))"
        )
      }
      return expression
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw Refusal(.badProperty, "\"\(shortened(text))\": \(error)")
    }
  }
}

/// The beginning of a user's text, for messages.
func shortened(_ text: String) -> String { text.count > 200 ? text.prefix(200) + "…" : text }

/// Ids in order of submission. Jobs that left stay in it until they are passed: taking one out costs nothing.
struct WaitingLine {
  private var ids: [JobID] = []
  private var head = 0

  mutating func append(_ id: JobID) {
    if let last = ids.last, last > id {
      let place = ids[head...].firstIndex { $0 > id } ?? ids.endIndex
      ids.insert(id, at: place)
    } else {
      ids.append(id)
    }
  }

  /// What a visitor says of a job in the line.
  enum Standing {
    /// It left the line for good.
    case gone
    case chosen
    case passedOver
  }

  /// Shows jobs, first come first, until `limit` were chosen; those that are gone are dropped.
  mutating func visit(_ limit: Int, _ look: (JobID) -> Standing) {
    var gone: [Int] = []
    var chosen = 0
    var place = head
    while place < ids.count, chosen < limit {
      switch look(ids[place]) {
      case .gone: if place == head { head += 1 } else { gone.append(place) }
      case .chosen: chosen += 1
      case .passedOver: break
      }
      place += 1
    }
    if gone.count > 1024, gone.count > chosen { drop(gone) }
    if head > 4096, head * 2 > ids.count {
      ids.removeFirst(head)
      head = 0
    }
  }

  /// Takes out the jobs at ascending places.
  private mutating func drop(_ gone: [Int]) {
    var kept = gone[0]
    var next = 0
    for place in gone[0]..<ids.count {
      if next < gone.count, gone[next] == place {
        next += 1
      } else {
        ids[kept] = ids[place]
        kept += 1
      }
    }
    ids.removeSubrange(kept...)
  }
}
