// What the server remembers when it stands in the place of OAR 2's Almighty: how far the shared database
// was read, who waits for news, which jobs OAR's own programs run.

import ClusterModel
import Storage
import Wire

/// The server's side towards an OAR 2. Used on the server's loop alone.
final class OAR2Side {
  let settings: OAR2Settings
  let store: any SharedStorage
  let programs: OARPrograms
  /// Commands of users that are told of their jobs.
  let userCommands: ServicePrograms
  /// Which ids of jobs were read.
  var horizon = JobHorizon()
  /// Connections that may be OAR's.
  var connections: WordConnections?
  var remarks = BoundedRemarks()
  /// Where an `oarsub` of OAR's waits for news of a job.
  var clients: [JobID: WaitingClient] = [:]
  /// The predictions that waiting clients were told last.
  var toldPredictions: [JobID: String] = [:]
  /// Jobs that ran when the server started, and since when it asks whose they are: an agent of ours that
  /// knows such a job says so.
  var undecided: [JobID: Instant] = [:]
  /// Jobs of OAR's whose end was asked for: when Leon was told first and last, on the server's clock.
  var kills: [JobID: (first: Instant, last: Instant)] = [:]
  /// Jobs of OAR's that its programs bring to an end.
  var finishing: [JobID: FinishingJob] = [:]
  /// When jobs of OAR's were given to `bipbip` to be started.
  var launches: [JobID: Instant] = [:]
  /// Jobs that end, and are submitted again, as soon as there are ids.
  var owed: [OwedEnd] = []
  var isReserving = false
  /// Events that were acted upon, and when: they may be read again until that is written.
  var takenEvents: [Int: Instant] = [:]
  /// Seconds for which that is remembered.
  static let eventMemory: Seconds = 120
  /// What resources were like when they were read last.
  var resourceMark: ResourceMark?

  // The rhythm of looks at the database.
  var isLooking = false
  var looksAgain = false
  var isLookScheduled = false
  var isRecheckScheduled = false
  var lastLook: UInt64 = 0
  /// What went wrong at the last look; `nil` if nothing did.
  var trouble: String?

  init(
    settings: OAR2Settings, store: any SharedStorage, programs: OARPrograms,
    userCommands: ServicePrograms
  ) {
    self.settings = settings
    self.store = store
    self.programs = programs
    self.userCommands = userCommands
  }
}

extension OAR2Side {
  /// Whether a job ends as soon as there are ids for the one that repeats it.
  func owes(_ id: JobID) -> Bool { owed.contains { $0.owed.job.id == id } }
}

/// Ids that nobody else has: of jobs, and as many moldables as a job may have for each.
struct ReservedIDs: Sendable {
  var job: JobID
  var moldable: MoldableID
}

/// Which ids of jobs were read: all below ``next`` but those that are missing. Ids come from a sequence, so
/// a higher one may be there before a lower one, and some are never used.
struct JobHorizon {
  /// Seconds for which an id is looked for that has no row: its submission was given up.
  static let patience: Seconds = 120
  /// Seconds for which a job may have only some of its rows.
  static let longPatience: Seconds = 900
  /// Ids that are looked for again at a time.
  static let lookups = 200
  /// A greater step between two ids is no submission under way: it is a mistake or a site's doing.
  static let longestStep = 10_000

  private(set) var next: JobID = 1
  private var missing: [JobID: (since: Instant, hasRows: Bool)] = [:]

  /// Begins to look from an id on, and again at some lower ones.
  mutating func begin(at next: JobID, missing: [JobID], now: Instant) {
    self.next = next
    self.missing = [:]
    for id in missing { self.missing[id] = (now, false) }
  }

  func isMissing(_ id: JobID) -> Bool { missing[id] != nil }

  /// Jobs that our server made: what is read of them is old.
  private var own: Set<JobID> = []

  mutating func add(own ids: Range<JobID>) {
    own.formUnion(ids)
    for id in ids { missing[id] = nil }
  }

  func isOwn(_ id: JobID) -> Bool { own.contains(id) }

  /// Ids to look for again, the first ones.
  var lookedFor: [JobID] { Array(missing.keys.sorted().prefix(Self.lookups)) }

  /// Whether some submission is under way.
  var hasIncomplete: Bool { missing.contains { $0.value.hasRows } }

  /// Takes in what was read of jobs. `isKnown` is asked about ids without rows.
  ///
  /// - Returns: what is not looked for any more, in words.
  mutating func settle(_ news: News, at now: Instant, isKnown: (JobID) -> Bool) -> [String] {
    let incomplete = Set(news.incompleteJobs)
    let settled = Set(news.jobs.map(\.id) + news.endedJobs)
    if news.lastJob >= next {
      if news.lastJob - next <= Self.longestStep {
        for id in next...news.lastJob
        where !settled.contains(id) && !own.contains(id) && !isKnown(id) {
          missing[id] = (now, false)
        }
      }
      next = news.lastJob + 1
      // Those that were asked for while they were made are read once more at most.
      own = own.filter { $0 >= next - Self.longestStep }
    }
    for id in settled { missing[id] = nil }
    for id in incomplete { missing[id] = (missing[id]?.since ?? now, true) }
    return giveUp(at: now)
  }

  /// Looks for a job that has rows.
  mutating func seek(_ id: JobID, at now: Instant) {
    if missing[id] == nil { missing[id] = (now, true) }
  }

  /// A job that can't be taken up now is looked for again.
  mutating func postpone(_ id: JobID, at now: Instant) { missing[id] = (now, true) }

  private mutating func giveUp(at now: Instant) -> [String] {
    var problems: [String] = []
    for (id, entry) in missing {
      let limit = entry.hasRows ? Self.longPatience : Self.patience
      guard now - entry.since > limit else { continue }
      missing[id] = nil
      if entry.hasRows {
        problems.append(
          "job \(id) was set aside: \(limit) s after its submission it has only some of its rows")
      }
    }
    return problems
  }
}
