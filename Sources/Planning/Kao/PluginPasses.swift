// Plug-ins that serve no single job: one that sorts, and extra passes. One that errs is passed over, and
// the plan says so.

import ClusterModel
import Kamelot

extension JobOrder {
  /// Lets a plug-in order the jobs of each group; what went wrong.
  mutating func sort(by sorter: (any JobSorter)?, _ snapshot: Snapshot) -> [String] {
    guard let sorter else { return [] }
    var problems: [String] = []
    for index in groups.indices {
      Self.sort(&groups[index].jobs, by: sorter, snapshot, &problems)
    }
    Self.sort(&besteffort, by: sorter, snapshot, &problems)
    return problems
  }

  private static func sort(
    _ jobs: inout [Int], by sorter: any JobSorter, _ snapshot: Snapshot,
    _ problems: inout [String]
  ) {
    guard !jobs.isEmpty else { return }
    let queues = snapshot.queueNames(of: jobs)
    let place = "The plug-in that sorts was passed over for \(queues.joined(separator: ", "))"
    do throws(PluginError) {
      let order = try sorter.sort(
        SortQuestion(
          queues: queues, jobs: jobs.map { snapshot.waiting[$0] }, now: snapshot.now,
          platform: snapshot.platform))
      guard order.count == jobs.count, Set(order) == Set(jobs.indices) else {
        problems.append("\(place): it did not name each of the \(jobs.count) jobs once.")
        return
      }
      jobs = order.map { jobs[$0] }
    } catch {
      problems.append("\(place): \(error).")
    }
  }
}

extension Pass {
  /// Calls the extra passes of the site before some jobs are planned, and leaves out whom they name.
  mutating func runExtraPasses(before jobs: @autoclosure () -> [Int]) {
    guard !plugins.extraPasses.isEmpty else { return }
    let jobs = jobs()
    guard !jobs.isEmpty else { return }
    let question = ExtraQuestion(
      queues: snapshot.queueNames(of: jobs), jobs: jobs.map { snapshot.waiting[$0] },
      placements: placements.all, now: snapshot.now, platform: snapshot.platform)
    let indices = Dictionary(
      jobs.map { (snapshot.waiting[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
    for extra in plugins.extraPasses {
      do throws(PluginError) {
        let leftOut = try extra.pass.run(question)
        for (job, why) in leftOut.sorted(by: { $0.key < $1.key }) {
          guard let index = indices[job] else {
            note("The extra pass \"\(extra.name)\" named job \(job), which was not among its jobs.")
            continue
          }
          refuse(
            index, because: Reason(.plugin, "The extra pass \"\(extra.name)\" left it out: \(why).")
          )
        }
      } catch {
        note("The extra pass \"\(extra.name)\" was passed over: \(error).")
      }
    }
  }

  /// Notes what went wrong, once.
  private mutating func note(_ problem: String) {
    if !plan.pluginProblems.contains(problem) { plan.pluginProblems.append(problem) }
  }
}

extension Snapshot {
  /// The queues that some jobs are in, in the order in which the jobs name them.
  fileprivate func queueNames(of jobs: [Int]) -> [String] {
    var names: [String] = []
    for index in jobs where names.last != waiting[index].queue {
      if !names.contains(waiting[index].queue) { names.append(waiting[index].queue) }
    }
    return names
  }
}
