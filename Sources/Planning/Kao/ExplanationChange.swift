// A change of a request: what it does to a job, and how it is told.

import ClusterModel
import Kamelot
import RequestLanguage

extension Kao.Explanation {
  /// A change of what a job asks for. Moldables, groups and levels are given by their index.
  public enum Change: Hashable, Sendable {
    /// At most so many seconds of walltime.
    case walltime(moldable: Int, Seconds)
    /// So many blocks of a level, or fewer.
    case count(moldable: Int, group: Int, level: Int, BlockCount)
    /// Both at once.
    case walltimeAndCount(moldable: Int, Seconds, group: Int, level: Int, BlockCount)
    /// Without this group.
    case withoutGroup(moldable: Int, group: Int)
    /// This moldable alone: it could start now but for another one that would end earlier.
    case moldable(Int)
    /// This condition for the whole job: what is left without the user's part.
    case jobCondition(String)
    /// This condition for one group, likewise.
    case groupCondition(moldable: Int, group: Int, String)
    /// As a besteffort job, which gives way to all others; what the site's rules make of it.
    case besteffort(queue: String, types: [String], properties: String)

    /// The job with this change.
    public func applied(to job: WaitingJob) -> WaitingJob {
      var changed = job
      switch self {
      case .walltime(let moldable, let walltime): changed.moldables[moldable].walltime = walltime
      case .count(let moldable, let group, let level, let count):
        changed.moldables[moldable].groups[group].levels[level].count = count
      case .walltimeAndCount(let moldable, let walltime, let group, let level, let count):
        changed.moldables[moldable].walltime = walltime
        changed.moldables[moldable].groups[group].levels[level].count = count
      case .withoutGroup(let moldable, let group):
        changed.moldables[moldable].groups.remove(at: group)
      case .moldable(let moldable): changed.moldables = [job.moldables[moldable]]
      case .jobCondition(let condition): changed.properties = condition
      case .groupCondition(let moldable, let group, let condition):
        changed.moldables[moldable].groups[group].properties = condition
      case .besteffort(let queue, let types, let properties):
        (changed.queue, changed.types, changed.properties) = (queue, types, properties)
      }
      return changed
    }

    /// Its kind as one word of documents, such as `walltime_and_count`.
    public var word: String {
      switch self {
      case .walltime: "walltime"
      case .count: "count"
      case .walltimeAndCount: "walltime_and_count"
      case .withoutGroup: "without_group"
      case .moldable: "moldable"
      case .jobCondition: "condition"
      case .groupCondition: "group_condition"
      case .besteffort: "besteffort"
      }
    }

    /// Which part of the request it is about, and the numbers that would do.
    public var numbers: Numbers {
      switch self {
      case .walltime(let moldable, let walltime): Numbers(moldable: moldable, walltime: walltime)
      case .count(let moldable, let group, let level, let count):
        Numbers(moldable: moldable, group: group, level: level, count: count)
      case .walltimeAndCount(let moldable, let walltime, let group, let level, let count):
        Numbers(moldable: moldable, group: group, level: level, walltime: walltime, count: count)
      case .moldable(let moldable): Numbers(moldable: moldable)
      case .withoutGroup(let moldable, let group), .groupCondition(let moldable, let group, _):
        Numbers(moldable: moldable, group: group)
      case .jobCondition, .besteffort: Numbers()
      }
    }

    /// The parts of a change; `nil` for what it is not about.
    public struct Numbers: Hashable, Sendable {
      public var moldable: Int?
      public var group: Int?
      public var level: Int?
      public var walltime: Seconds?
      public var count: BlockCount?
    }

    /// What it does for a job, for its user.
    public func sentence(for job: WaitingJob) -> String {
      "It would start now \(clause(for: job, applied(to: job)))."
    }

    private func clause(for job: WaitingJob, _ changed: WaitingJob) -> String {
      func request(_ moldable: Int, of job: WaitingJob) -> String {
        "-l \(job.moldables[moldable].levelsText)"
      }
      func swapped(_ moldable: Int) -> String {
        "with \(request(moldable, of: changed)) instead of \(job.moldables[moldable].levelsText)"
      }
      func limited(_ walltime: Seconds) -> String {
        "a walltime of \(walltime.paddedDuration) or less"
      }
      let isOneOfSeveral = job.moldables.count > 1
      switch self {
      case .walltime(let moldable, let walltime):
        let what = isOneOfSeveral ? " for \(request(moldable, of: job))" : ""
        return "with \(limited(walltime))\(what)"
      case .count(let moldable, _, _, _), .withoutGroup(let moldable, _): return swapped(moldable)
      case .walltimeAndCount(let moldable, let walltime, _, _, _):
        return "\(swapped(moldable)) and \(limited(walltime))"
      case .moldable(let moldable):
        return "with \(request(moldable, of: job)) alone, but end later"
      case .jobCondition: return "without its condition (-p)"
      case .groupCondition(let moldable, let group, _):
        let part = job.moldables[moldable].groups[group].levelsText
        return "without the condition in braces before \(part)"
      case .besteffort: return "as a besteffort job (-t besteffort), which gives way to all others"
      }
    }
  }
}

extension Moldable {
  /// The groups as users write them, without conditions and walltime.
  fileprivate var levelsText: String { groups.map(\.levelsText).joined(separator: "+") }
}
