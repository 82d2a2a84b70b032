// How a besteffort job leaves when a job above needs its resources: at once, or after it was told to save its
// work and had the time that it asked for.

import ClusterModel
import Kamelot

/// What has to happen until a besteffort job is gone.
enum Farewell: Equatable {
  /// Nothing more: it ends already.
  case ends
  /// It is to be ended.
  case end
  /// It is saving its work, and is to be ended at an instant.
  case saves(until: Instant)
  /// It is to be told to save its work.
  case tell

  /// How near its end is. Who is nearest is taken first, so that a job which was told to save its work is
  /// not dropped for another one in the next pass.
  enum Nearness: CaseIterable {
    /// Nobody needs its resources so far.
    case untouched
    case saving
    case saved
    case ending
  }
}

extension HoldingJob {
  /// A job that still runs so many seconds after its time to save its work was not needed then: it has gone
  /// on, and is told anew when it is needed again.
  private static let memory: Seconds = 300

  /// What has to happen so that its resources become free.
  func farewell(at now: Instant) -> Farewell {
    if isEnding { return .ends }
    guard checkpoint > 0 else { return .end }
    guard let checkpointedAt else { return .tell }
    let end = checkpointedAt.addingCapped(checkpoint)
    if now < end { return .saves(until: end) }
    return now <= end.addingCapped(Self.memory) ? .end : .tell
  }

  /// How near its end is, as far as it has been told.
  func nearness(at now: Instant) -> Farewell.Nearness {
    switch farewell(at: now) {
    case .ends: .ending
    case .end: checkpoint > 0 ? .saved : .untouched
    case .saves: .saving
    case .tell: .untouched
    }
  }
}
