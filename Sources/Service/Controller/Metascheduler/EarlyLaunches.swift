// Lines of OAR 2's schedulers that ask for the start of a job while they still plan others:
// `SCHEDRUN JOB_ID=1 MOLDABLE_JOB_ID=1 RESOURCES=1,2`.

import ClusterModel

/// A job that its queue's scheduler wants to start at once.
struct EarlyLaunch: Equatable {
  var queue: String
  var job: JobID
  var moldable: MoldableID
  var resources: [ResourceID]

  /// The index of the moldable in the job's request; `nil` if it is another job's.
  func index(in job: Job) -> Int? { job.moldableIndex(of: moldable) }
}

/// Finds such lines in what a scheduler prints.
struct EarlyLaunches {
  let queue: String
  let isWanted: Bool
  /// A line with more resources is not one of a scheduler's.
  private static let mostResources = 100_000

  /// What a line asks for; `nil` for any other line.
  func launch(_ line: String) -> EarlyLaunch? {
    guard isWanted else { return nil }
    let words = line.split(separator: " ")
    guard words.count == 4, words[0] == "SCHEDRUN", let job = number(words[1], "JOB_ID="),
      let moldable = number(words[2], "MOLDABLE_JOB_ID="), words[3].hasPrefix("RESOURCES=")
    else { return nil }
    let texts = words[3].dropFirst("RESOURCES=".count).split(separator: ",")
    let resources = texts.compactMap { Int($0) }
    guard !texts.isEmpty, resources.count == texts.count, texts.count <= Self.mostResources else {
      return nil
    }
    return EarlyLaunch(queue: queue, job: job, moldable: moldable, resources: resources.sorted())
  }

  private func number(_ word: Substring, _ name: String) -> Int? {
    word.hasPrefix(name) ? Int(word.dropFirst(name.count)) : nil
  }
}
