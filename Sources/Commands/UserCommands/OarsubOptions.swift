// The options of `oarsub`: OAR 2.5's, and `--wait`, `--dry-run` and `--json` of our own.

import CommandLine

enum OarsubOption {
  static let interactive = Key<Bool>.flag(
    "-I", "--interactive", help: "Open a shell on the first host of the job, at this terminal")
  static let connect = Key<Int?>.integer(
    "-C", "--connect", value: "JOB", help: "Open another shell in a running job of yours")
  static let resource = Key<[String]>.texts(
    "-l", "--resource", value: "REQUEST",
    help: "What the job needs and for how long, such as host=2/core=4,walltime=1:30:00 "
      + "(hours:minutes:seconds). Repeated: alternatives, of which the one that ends first is taken"
  )
  static let property = Key<String?>.text(
    "-p", "--property", value: "CONDITION",
    help: "Only resources that meet this SQL condition, such as \"gpu = 'YES'\"")
  static let queue = Key<String?>.text(
    "-q", "--queue", value: "QUEUE", help: "The queue of the job")
  static let type = Key<[String]>.texts(
    "-t", "--type", value: "TYPE",
    help: "A type of the job: besteffort, idempotent, container, inner=JOB, deploy, noop ...")
  static let array = Key<Int?>.integer(
    "--array", value: "N", help: "Submit N jobs alike; OAR_ARRAY_INDEX tells them apart")
  static let parameterFile = Key<String?>.text(
    "--array-param-file", value: "FILE",
    help: "Submit a job for each line of the file, with the line after the command")
  static let scanScript = Key<Bool>.flag(
    "-S", "--scanscript",
    help: "Read more options from the lines of the script that begin with #OAR; options given "
      + "here count more")
  static let reservation = Key<String?>.text(
    "-r", "--reservation", value: "DATE",
    help: "Reserve resources from this date on: \"YYYY-MM-DD hh:mm:ss\", \"hh:mm\" for today, or "
      + "now; with \"START, END\" the walltime is the time between. The command may be left out: "
      + "the resources are then held until the walltime is over")
  static let directory = Key<String?>.text(
    "-d", "--directory", value: "DIR", help: "Where the command runs (default: here)")
  static let name = Key<String?>.text(
    "-n", "--name", value: "NAME", help: "A name for the job; its output files get it too")
  static let project = Key<String?>.text(
    "--project", value: "NAME", help: "The project that the job is accounted to")
  static let anterior = Key<[Int]>.integers(
    "-a", "--anterior", value: "JOB", help: "Start only after this job has ended; may be repeated")
  static let hold = Key<Bool>.flag(
    "--hold", help: "Keep the job from starting until oarresume is called on it")
  static let checkpoint = Key<Int?>.integer(
    "--checkpoint", value: "SECONDS", help: "Signal the job so long before its walltime is over")
  static let signal = Key<Int?>.integer(
    "--signal", value: "NUMBER", help: "The signal of --checkpoint (default: 12, SIGUSR2)")
  static let notify = Key<String?>.text(
    "--notify", value: "METHOD",
    help: "How to tell of the job's progress: \"mail:ADDRESS\" or \"exec:PROGRAM WORDS\"")
  static let stdout = Key<String?>.text(
    "-O", "--stdout", value: "FILE",
    help: "Where the job's output goes; %jobid%, %jobname%, %arrayid% and %arrayindex% are "
      + "replaced (default: OAR.%jobid%.stdout)")
  static let stderr = Key<String?>.text(
    "-E", "--stderr", value: "FILE", help: "Where its error output goes, likewise")
  static let resubmit = Key<Int?>.integer(
    "--resubmit", value: "JOB", help: "Submit an ended job of yours again, as a new one")
  static let wait = Key<Bool>.flag(
    "--wait",
    help: "Stay until the job has ended and end with its exit code; Ctrl-C leaves it running")
  static let dryRun = Key<Bool>.flag(
    "--dry-run",
    help: "Submit nothing; say when and where the job would start, and if not now, why and what "
      + "would start it now")
  static let verbose = Key<Bool>.flag(
    "-v", "--verbose", help: "Say what is sent to the server")
  static let useJobKey = Key<Bool>.flag(
    "-k", "--use-job-key", help: "Accepted for OAR's sake: jobs need no keys here")
  static let importJobKey = Key<String?>.text(
    "-i", "--import-job-key-from-file", value: "FILE", help: "Likewise")
  static let importJobKeyInline = Key<String?>.text(
    "--import-job-key-inline", "--import-job-key-inline-priv", value: "KEY", help: "Likewise")
  static let exportJobKey = Key<String?>.text(
    "-e", "--export-job-key-to-file", value: "FILE", help: "Likewise")
  static let stageIn = Key<String?>.text(
    "-s", "--stagein", value: "FILE", help: "Of OAR's desktop computing: refused")
  static let stageInSum = Key<String?>.text(
    "--stagein-md5sum", value: "SUM", help: "Likewise")

  /// Those that lines of a script may hold.
  static let ofScripts: [any OptionKey] = [
    resource, property, queue, type, array, parameterFile, directory, name, project, anterior, hold,
    checkpoint, signal, notify, stdout, stderr, useJobKey, importJobKey, importJobKeyInline,
    exportJobKey, reservation, stageIn, stageInSum,
  ]

  static let jobKeys: [any OptionKey] = [useJobKey, importJobKey, importJobKeyInline, exportJobKey]
}

extension Oarsub {
  public static let definition = CommandDefinition(
    "oarsub", "Submit a job to the batch system",
    synopsis: [
      "[OPTIONS] COMMAND", "-S [OPTIONS] SCRIPT", "-I [OPTIONS]", "-C JOB", "--resubmit JOB",
      "-r DATE [OPTIONS] [COMMAND]", "--dry-run [OPTIONS] COMMAND",
    ],
    operands: .files,
    options: [
      OarsubOption.interactive, OarsubOption.connect, OarsubOption.resource, OarsubOption.property,
      OarsubOption.queue, OarsubOption.type, OarsubOption.array, OarsubOption.parameterFile,
      OarsubOption.scanScript, OarsubOption.reservation, OarsubOption.directory, OarsubOption.name,
      OarsubOption.project, OarsubOption.anterior, OarsubOption.hold, OarsubOption.checkpoint,
      OarsubOption.signal, OarsubOption.notify, OarsubOption.stdout, OarsubOption.stderr,
      OarsubOption.resubmit, OarsubOption.wait, OarsubOption.dryRun, OarsubOption.useJobKey,
      OarsubOption.importJobKey, OarsubOption.importJobKeyInline, OarsubOption.exportJobKey,
      OarsubOption.stageIn, OarsubOption.stageInSum, OarsubOption.verbose,
    ] + DataFormatOption.all + [DocumentOption.json],
    details: [
      "The command is one word of the shell: quote it if it has arguments. It is run by your shell "
        + "on the first host of the job, in the directory where oarsub was called.",
      "A job that was acknowledged (OAR_JOB_ID=...) is durable: it survives a crash of the server. "
        + "When oarsub fails, no job was made, unless the message says that this is not known.",
      "A reservation (-r) is accepted or refused by the next planning pass, for which oarsub waits. It "
        + "displaces no job of its queue that is planned already. One that is accepted starts at its "
        + "date, with its first -l; if hosts of it are lost, it waits for them for a while "
        + "(RESERVATION_WAITING_RESOURCES_TIMEOUT) and then starts on the others. Its end is fixed: a "
        + "late start shortens its walltime.",
      "With --dry-run the server lets the job through the admission rules and plans it as the last "
        + "of its queue, but makes nothing of it. Others may come before it until it is submitted.",
    ],
    examples: [
      ("oarsub -l core=4,walltime=2 \"./simulate input.dat\"", "four cores for two hours"),
      (
        "oarsub -l host=2 -l core=8 ./job.sh",
        "two whole hosts or eight cores, whichever ends first"
      ),
      ("oarsub --array-param-file params.txt ./job.sh", "a job for each line of params.txt"),
      ("oarsub -I -l host=1,walltime=1", "an hour's shell on a host"),
      (
        "oarsub -r \"2027-03-25 08:00:00\" -l host=2,walltime=4",
        "two hosts on a morning, to be entered with oarsub -C"
      ),
      (
        "oarsub --dry-run -l host=8 ./job.sh",
        "when eight hosts could be had, without asking for them"
      ),
    ],
    exitCodes: [
      (0, "submitted, or told by --dry-run; with --wait, the job's exit code"),
      (1, "an option that is not known or has no valid value"),
      (4, "the job can't be submitted again"),
      (5, "no command, or more than one word"),
      (6, "an array without jobs"),
      (7, "a date that can't be read"),
      (8, "the request can't be satisfied or understood"),
      (9, "the server can't be reached"),
      (10, "the reservation is refused"),
      (11, "the interactive job ended before it began"),
      (12, "a script or parameter file that can't be read"),
      (17, "a type that can't be interactive"),
      (20, "the job to connect to is not running or not yours"),
      (248, "an unknown queue"),
      (250, "a method of notification that can't be read"),
      (254, "refused by an admission rule"),
      (255, "a resource request that can't be read"),
    ])
}
