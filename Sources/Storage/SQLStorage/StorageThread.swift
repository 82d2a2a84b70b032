// The thread on which every call of SQLite is made, as the executor of the store's actor: SQLite
// blocks on the disk, and Swift's own threads are too few to be blocked.

import Glibc

/// A thread that runs an actor's jobs in the order of their arrival.
final class StorageThread: SerialExecutor, @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  // Guarded by the mutex.
  private var inbox: [UnownedJob] = []
  private var isStopping = false
  private var thread: pthread_t?

  /// Starts the thread.
  ///
  /// - Parameter name: what `ps -T` shows, at most 15 bytes.
  /// - Returns: `nil` if the system has no thread left.
  static func start(name: String) -> StorageThread? {
    let executor = StorageThread()
    let start = Start(executor: executor, name: name)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(start)
    let code = pthread_create(&thread, nil, runStorageThread, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      return nil
    }
    pthread_detach(thread)
    return executor
  }

  private init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    locked { inbox.append(job) }
    pthread_cond_signal(condition)
  }

  /// Lets the thread end when its inbox is empty. No job may be enqueued afterwards.
  func stop() {
    locked { isStopping = true }
    pthread_cond_signal(condition)
  }

  func checkIsolated() {
    precondition(isCurrent, "not on the storage thread")
  }

  func isIsolatingCurrentContext() -> Bool? { isCurrent }

  private var isCurrent: Bool {
    locked { thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  fileprivate func run() {
    locked { thread = pthread_self() }
    var jobs: [UnownedJob] = []
    while takeJobs(&jobs) {
      for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
      jobs.removeAll(keepingCapacity: true)
    }
  }

  /// Waits for jobs; `false` when there will be no more.
  private func takeJobs(_ jobs: inout [UnownedJob]) -> Bool {
    locked {
      while inbox.isEmpty && !isStopping { pthread_cond_wait(condition, mutex) }
      swap(&inbox, &jobs)
      return !jobs.isEmpty
    }
  }
}

/// What the new thread is given.
private final class Start {
  let executor: StorageThread
  let name: String

  init(executor: StorageThread, name: String) {
    self.executor = executor
    self.name = name
  }
}

private func runStorageThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
  nameThisThread(start.name)
  start.executor.run()
  return nil
}

/// A thread may write its own name; failing is harmless.
private func nameThisThread(_ name: String) {
  let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
  guard file >= 0 else { return }
  _ = Array(name.utf8.prefix(15)).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
  close(file)
}
