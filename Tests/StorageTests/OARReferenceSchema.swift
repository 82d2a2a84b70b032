// The schema of OAR 2.5.10 in short, taken from a database that OAR made: what ours must equal.
//
// A line `name type [required] [= default]` is a column; `serial` is a number that the database gives.

let oarReferenceSchema = """
  table accounting
    window_start integer required
    window_stop integer required = 0
    accounting_user varchar(255) required = ''
    accounting_project varchar(255) required = ''
    queue_name varchar(100) required = ''
    consumption_type varchar(5) required = 'ASKED'
    consumption bigint required = 0
    key window_start, window_stop, accounting_user, accounting_project, queue_name, consumption_type
    index accounting_project accounting_project
    index accounting_queue queue_name
    index accounting_type consumption_type
    index accounting_user accounting_user
  table admission_rules
    id serial
    priority integer required = 0
    enabled varchar(3) required = 'YES'
    rule text required
    key id
  table assigned_resources
    moldable_job_id integer required = 0
    resource_id integer required = 0
    assigned_resource_index varchar(7) required = 'CURRENT'
    key moldable_job_id, resource_id
    index log assigned_resource_index
    index mjob_id moldable_job_id
  table challenges
    job_id integer required = 0
    challenge varchar(255) required = ''
    ssh_private_key text required = ''
    ssh_public_key text required = ''
    key job_id
    index challenge_job_id job_id
  table event_log_hostnames
    event_id integer required = 0
    hostname varchar(255) required = ''
    key event_id, hostname
    index event_hostname hostname
  table event_logs
    event_id serial
    type varchar(50) required = ''
    job_id integer required = 0
    date integer required = 0
    description varchar(255) required = ''
    to_check varchar(3) required = 'YES'
    key event_id
    index event_check to_check
    index event_job_id job_id
    index event_type type
  table files
    file_id serial
    md5sum varchar(255)
    location varchar(255)
    method varchar(255)
    compression varchar(255)
    size integer required = 0
    key file_id
    index md5sum md5sum
  table frag_jobs
    frag_id_job integer required = 0
    frag_date integer required = 0
    frag_state varchar(16) required = 'LEON'
    key frag_id_job
    index frag_state frag_state
  table gantt_jobs_predictions
    moldable_job_id integer required = 0
    start_time integer required = 0
    key moldable_job_id
  table gantt_jobs_predictions_log
    sched_date integer required = 0
    moldable_job_id integer required = 0
    start_time integer required = 0
    key sched_date, moldable_job_id
  table gantt_jobs_predictions_visu
    moldable_job_id integer required = 0
    start_time integer required = 0
    key moldable_job_id
  table gantt_jobs_resources
    moldable_job_id integer required = 0
    resource_id integer required = 0
    key moldable_job_id, resource_id
  table gantt_jobs_resources_log
    sched_date integer required = 0
    moldable_job_id integer required = 0
    resource_id integer required = 0
    key sched_date, moldable_job_id, resource_id
  table gantt_jobs_resources_visu
    moldable_job_id integer required = 0
    resource_id integer required = 0
    key moldable_job_id, resource_id
  table job_dependencies
    job_id integer required = 0
    job_id_required integer required = 0
    job_dependency_index varchar(7) required = 'CURRENT'
    key job_id, job_id_required
    index id_dep job_id
    index log_dep job_dependency_index
  table job_resource_descriptions
    res_job_group_id integer required = 0
    res_job_resource_type varchar(255) required = ''
    res_job_value integer required = 0
    res_job_order integer required = 0
    res_job_index varchar(7) required = 'CURRENT'
    key res_job_group_id, res_job_resource_type, res_job_order
    index log_res_desc res_job_index
    index resgroup res_job_group_id
  table job_resource_groups
    res_group_id serial
    res_group_moldable_id integer required = 0
    res_group_property text
    res_group_index varchar(7) required = 'CURRENT'
    key res_group_id
    index log_res res_group_index
    index moldable_job res_group_moldable_id
  table job_state_logs
    job_state_log_id serial
    job_id integer required = 0
    job_state varchar(16) required = 'Waiting'
    date_start integer required = 0
    date_stop integer required = 0
    key job_state_log_id
    index id_job_log job_id
    index state_job_log job_state
  table job_types
    job_type_id serial
    job_id integer required = 0
    type varchar(255) required = ''
    types_index varchar(7) required = 'CURRENT'
    key job_type_id
    index id_types job_id
    index log_types types_index
    index type type
  table jobs
    job_id serial
    array_id integer required = 0
    array_index integer required = 1
    initial_request text
    job_name varchar(100)
    job_env text
    job_type varchar(11) required = 'PASSIVE'
    info_type varchar(255)
    state varchar(16) required = 'Waiting'
    reservation varchar(10) required = 'None'
    message varchar(255) required = ''
    scheduler_info varchar(255) required = ''
    job_user varchar(255) required = ''
    project varchar(255) required = ''
    job_group varchar(255) required = ''
    command text
    exit_code integer
    queue_name varchar(100) required = ''
    properties text
    launching_directory text required
    submission_time integer required = 0
    start_time integer required = 0
    stop_time integer required = 0
    file_id integer
    accounted varchar(3) required = 'NO'
    notify varchar(255)
    assigned_moldable_job integer = 0
    checkpoint integer required = 0
    checkpoint_signal integer required
    stdout_file text
    stderr_file text
    resubmit_job_id integer required = 0
    suspended varchar(3) required = 'NO'
    key job_id
    index accounted accounted
    index job_array_id array_id
    index queue_name queue_name
    index reservation reservation
    index state state
    index state_id state, job_id
    index suspended suspended
  table moldable_job_descriptions
    moldable_id serial
    moldable_job_id integer required = 0
    moldable_walltime integer required = 0
    moldable_index varchar(7) required = 'CURRENT'
    key moldable_id
    index job_mold moldable_job_id
    index log_mold_desc moldable_index
  table queues
    queue_name varchar(100) required = ''
    priority integer required = 0
    scheduler_policy varchar(100) required = ''
    state varchar(9) required = 'Active'
    key queue_name
  table resource_logs
    resource_log_id serial
    resource_id integer required = 0
    attribute varchar(255) required = ''
    value varchar(255) required = ''
    date_start integer required = 0
    date_stop integer required = 0
    finaud_decision varchar(3) required = 'NO'
    key resource_log_id
    index attribute attribute
    index date_start date_start
    index date_stop date_stop
    index finaud finaud_decision
    index ix_resource_logs_id_dstop_attr resource_id, date_stop, attribute
    index resource resource_id
    index resource_id resource_id
    index val value
  table resources
    resource_id serial
    type varchar(100) required = 'default'
    network_address varchar(100) required = ''
    state varchar(9) required = 'Alive'
    next_state varchar(9) required = 'UnChanged'
    finaud_decision varchar(3) required = 'NO'
    next_finaud_decision varchar(3) required = 'NO'
    state_num integer required = 0
    suspended_jobs varchar(3) required = 'NO'
    scheduler_priority integer required = 0
    cpuset varchar(255) required = '0'
    besteffort varchar(3) required = 'YES'
    deploy varchar(3) required = 'NO'
    expiry_date integer required = 0
    desktop_computing varchar(3) required = 'NO'
    last_job_date integer required = 0
    available_upto integer required = 2147483647
    last_available_upto integer required = 0
    drain varchar(3) required = 'NO'
    key resource_id
    index resource_network_address network_address
    index resource_next_state next_state
    index resource_state state
    index resource_suspended_jobs suspended_jobs
    index resource_type type
  table scheduler
    name varchar(100) required
    script varchar(100) required
    description varchar(255) required
    key name
  table schema
    version varchar(255) required
    name varchar(255) required
  table walltime_change
    job_id integer required = 0
    pending integer required = 0
    force varchar(3) required = 'NO'
    delay_next_jobs varchar(3) required = 'NO'
    granted integer required = 0
    granted_with_force integer required = 0
    granted_with_delay_next_jobs integer required = 0
    whole varchar(3) required = 'NO'
    granted_with_whole integer required = 0
    timeout integer required = 0
    key job_id
    index walltime_change_job_id job_id
  """
