%% oracle - runs cases of oracle.c through OTP's own supervisor.
%%
%% Children are stub processes.  One collector starts, kills and watches them and
%% writes the trace; supervisors are real.  The virtual machine runs with one
%% scheduler, so that signals arrive in the order they were sent.
-module(oracle).
-behaviour(supervisor).
-export([main/1, init/1, start_sup/1, start_stub/2, start_stub/3, stub_init/2]).

main([Cases, Traces]) ->
    logger:set_primary_config(level, none),
    {ok, Terms} = file:consult(Cases),
    {ok, Out} = file:open(Traces, [write, raw, delayed_write]),
    lists:foreach(fun(C) -> ok = file:write(Out, [run(C), $\n]) end, Terms),
    ok = file:close(Out),
    halt(0).

run({_Number, Nodes, Fails, Hooks, Script}) ->
    T = ets:new(case_table, [public, set]),
    persistent_or_put(T),
    [ets:insert(T, {{node, element(1, N)}, N}) || N <- Nodes],
    [ets:insert(T, {{fails, Id}, K}) || {Id, K} <- Fails],
    ets:insert(T, {hooks, Hooks}),
    ets:insert(T, {ids, [element(1, N) || N <- Nodes]}),
    Self = self(),
    Collector = spawn_link(fun() -> collect(T, []) end),
    ets:insert(T, {collector, Collector}),
    Top = spawn_link(fun() -> top(Self) end),
    Started = receive {Top, R} -> R end,
    settle(T),
    mark(T, "|"),
    [begin Token = event(T, E), settle(T), mark(T, ["| ", Token]) end || E <- Script],
    mark(T, ["up", [[" ", integer_to_list(Id)] || Id <- living(T)], " |"]),
    Top ! stop,
    receive {Top, stopped} -> ok end,
    _ = Started,
    settle(T),
    Trace = call(T, finish),
    erase(table),
    ets:delete(T),
    Words = string:lexemes(lists:flatten(lists:join($\s, Trace)), " "),
    lists:join($\s, sort_pools(by_supervisor(Words, Nodes, Hooks))).

persistent_or_put(T) ->
    persistent_term:put(oracle_table, T).

table() ->
    persistent_term:get(oracle_table).

%% --- the parent of the top supervisor ---------------------------------------------

top(Driver) ->
    process_flag(trap_exit, true),
    R = start_sup(0),
    Driver ! {self(), R},
    top_wait(Driver, R).

top_wait(Driver, R) ->
    receive
        stop ->
            case R of
                {ok, Pid} ->
                    M = erlang:monitor(process, Pid),
                    exit(Pid, shutdown),
                    receive {'DOWN', M, process, _, _} -> ok end;
                _ -> ok
            end,
            Driver ! {self(), stopped};
        {'EXIT', _, _} -> top_wait(Driver, R)
    end.

start_sup(Id) -> supervisor:start_link(?MODULE, Id).

%% {Id, Parent, Kind, Strategy, Intensity, Auto, Restart, Shutdown, Significant, Dynamic}
init(Id) ->
    T = table(),
    ok = call(T, {sup, Id, self()}),
    [{_, {_, _, _, Strategy, Intensity, Auto, _, _, _, _}}] = ets:lookup(T, {node, Id}),
    Flags = #{strategy => Strategy, intensity => Intensity, period => 1000000,
              auto_shutdown => Auto},
    [{_, Ids}] = ets:lookup(T, ids),
    Children = [spec(T, K) || K <- Ids, is_static_child(T, K, Id)],
    {ok, {Flags, Children}}.

is_static_child(T, K, Id) ->
    [{_, N}] = ets:lookup(T, {node, K}),
    element(2, N) =:= Id andalso not element(10, N).

spec(T, K) ->
    [{_, {K, _, Kind, _, _, _, Restart, Shutdown, Significant, _}}] =
        ets:lookup(T, {node, K}),
    {Start, Type} = case Kind of
        sup -> {{?MODULE, start_sup, [K]}, supervisor};
        template -> {{?MODULE, start_stub, [template, K]}, worker};
        worker -> {{?MODULE, start_stub, [K]}, worker}
    end,
    #{id => K, start => fix(Start), restart => Restart, shutdown => Shutdown,
      significant => Significant, type => Type}.

fix({M, start_stub, [K]}) -> {M, start_stub, [worker, K]};
fix(S) -> S.

%% --- stubs ------------------------------------------------------------------------

start_stub(worker, K) -> begin_stub(K).
start_stub(template, K, Tag) -> begin_stub({K, Tag}).

begin_stub(Key) ->
    T = table(),
    case call(T, {start, Key}) of
        ok ->
            Pid = proc_lib:spawn_link(?MODULE, stub_init, [self(), Key]),
            ok = call(T, {born, Key, Pid}),
            {ok, Pid};
        failed ->
            {error, failed}
    end.

stub_init(Parent, Key) ->
    process_flag(trap_exit, true),
    stub(Parent, Key).

stub(Parent, Key) ->
    receive
        {die, Reason} -> exit(Reason);
        {'EXIT', Parent, Reason} ->
            ok = call(table(), {stopping, Key}),
            exit(Reason)
    end.

%% --- the collector ----------------------------------------------------------------

call(T, What) ->
    [{_, Pid}] = ets:lookup(T, collector),
    M = erlang:monitor(process, Pid),
    Pid ! {self(), M, What},
    receive
        {M, R} -> erlang:demonitor(M, [flush]), R;
        {'DOWN', M, _, _, Why} -> exit(Why)
    end.

mark(T, Text) -> call(T, {mark, Text}).

collect(T, Trace) ->
    receive
        {From, M, {mark, Text}} ->
            From ! {M, ok},
            collect(T, [Text | Trace]);
        {From, M, finish} ->
            From ! {M, lists:reverse(Trace)};
        {From, M, {start, Key}} ->
            case fails(T, row(Key)) of
                true ->
                    From ! {M, failed},
                    collect(T, [["f", word(Key)] | Trace]);
                false ->
                    hooks(T, start, Key),
                    From ! {M, ok},
                    collect(T, [["s", word(Key)] | Trace])
            end;
        {From, M, {born, Key, Pid}} ->
            erlang:monitor(process, Pid),
            ets:insert(T, [{{alive, Key}, Pid}, {{key, Pid}, Key}]),
            From ! {M, ok},
            collect(T, Trace);
        {From, M, {sup, Id, Pid}} ->
            erlang:monitor(process, Pid),
            ets:insert(T, {{sup, Id}, Pid}),
            From ! {M, ok},
            collect(T, Trace);
        {From, M, {stopping, Key}} ->
            hooks(T, stop, Key),
            From ! {M, ok},
            collect(T, Trace);
        {From, M, {die, Victims}} ->
            [kill(T, V) || V <- Victims],
            From ! {M, ok},
            collect(T, Trace);
        {'DOWN', _, process, Pid, _} ->
            case ets:member(T, {key, Pid}) of
                true -> collect(T, [["x", word(gone(T, Pid))] | Trace]);
                false -> sup_gone(T, Pid), collect(T, Trace)
            end
    end.

gone(T, Pid) ->
    [{_, Key}] = ets:lookup(T, {key, Pid}),
    ets:delete(T, {key, Pid}),
    case ets:lookup(T, {alive, Key}) of
        [{_, Pid}] -> ets:delete(T, {alive, Key});
        _ -> ok
    end,
    Key.

sup_gone(T, Pid) ->
    ets:match_delete(T, {{sup, '_'}, Pid}).

kill(T, {Key, Reason}) ->
    case ets:lookup(T, {alive, Key}) of
        [{_, Pid}] ->
            Pid ! {die, Reason},
            receive {'DOWN', _, process, Pid, _} -> gone(T, Pid) end;
        [] -> ok
    end.

fails(T, Row) ->
    case ets:lookup(T, {fails, Row}) of
        [{_, K}] when K > 0 -> ets:insert(T, {{fails, Row}, K - 1}), true;
        _ -> false
    end.

hooks(T, What, Key) ->
    N = ets:update_counter(T, {What, row(Key)}, 1, {{What, row(Key)}, 0}),
    [{_, Hooks}] = ets:lookup(T, hooks),
    [[kill(T, V) || V <- Victims] ||
        {W, Row, Nth, Victims} <- Hooks, W =:= What, Row =:= row(Key), Nth =:= N].

row({Row, _Tag}) -> Row;
row(Row) -> Row.

word({Row, Tag}) -> [integer_to_list(Row), ".", integer_to_list(Tag)];
word(Row) -> integer_to_list(Row).

%% --- events -----------------------------------------------------------------------

event(T, {fail, Row, K}) ->
    Old = case ets:lookup(T, {fails, Row}) of [{_, N}] -> N; [] -> 0 end,
    ets:insert(T, {{fails, Row}, Old + K}),
    "";
event(T, {die, [{Key, _} | _] = Victims}) ->
    %% the supervisor sleeps meanwhile, so that it finds all of them at once
    case sup(T, parent(T, row(Key))) of
        none -> "";
        Sup ->
            true = erlang:suspend_process(Sup),
            ok = call(T, {die, Victims}),
            true = erlang:resume_process(Sup),
            ""
    end;
event(T, {What, Key}) ->
    case sup(T, parent(T, row(Key))) of
        none -> "-";
        Sup ->
            case What =:= start_child andalso is_forgotten(T, Sup, Key) of
                true -> "-";
                false -> answer(request(T, Sup, What, Key))
            end
    end.

%% A static child that start_child would put behind the others: Steward keeps its place.
is_forgotten(_T, _Sup, {_, _}) -> false;
is_forgotten(T, Sup, Row) ->
    [{_, N}] = ets:lookup(T, {node, Row}),
    not element(10, N) andalso element(3, N) =/= template andalso
        not lists:keymember(Row, 1, supervisor:which_children(Sup)).

request(_T, Sup, start_child, {_Row, Tag}) ->
    supervisor:start_child(Sup, [Tag]);
request(T, Sup, start_child, Row) ->
    supervisor:start_child(Sup, spec(T, Row));
request(T, Sup, terminate_child, {_, _} = Key) ->
    case ets:lookup(T, {alive, Key}) of
        [{_, Pid}] -> supervisor:terminate_child(Sup, Pid);
        [] -> {error, not_found}
    end;
request(T, Sup, What, {_, _} = Key) ->
    case ets:lookup(T, {alive, Key}) of
        [_] -> supervisor:What(Sup, row(Key));
        [] -> {error, not_found}
    end;
request(_T, Sup, What, Row) ->
    supervisor:What(Sup, Row).

answer(ok) -> "ok";
answer({ok, _}) -> "ok";
answer({ok, _, _}) -> "ok";
answer({error, not_found}) -> "not_found";
answer({error, running}) -> "running";
answer({error, simple_one_for_one}) -> "simple_one_for_one";
answer({error, already_present}) -> "already";
answer({error, {already_started, _}}) -> "already";
answer({error, {bad_return, _}}) -> "other";
answer({error, _}) -> "failed".

parent(T, Row) ->
    [{_, N}] = ets:lookup(T, {node, Row}),
    element(2, N).

sup(T, Id) ->
    case ets:lookup(T, {sup, Id}) of
        [{_, Pid}] -> case is_process_alive(Pid) of true -> Pid; false -> none end;
        [] -> none
    end.

living(T) ->
    [{_, Ids}] = ets:lookup(T, ids),
    [Id || Id <- Ids, sup(T, Id) =/= none orelse ets:member(T, {alive, Id})].

%% Nobody has anything to do any more: seen three times in a row.
settle(T) -> settle(T, 0).

settle(_T, 3) -> ok;
settle(T, N) ->
    erlang:yield(),
    Pids = [P || {{sup, _}, P} <- ets:tab2list(T)] ++ [P || {{alive, _}, P} <- ets:tab2list(T)],
    [{_, Collector}] = ets:lookup(T, collector),
    case lists:all(fun quiet/1, [Collector | Pids]) of
        true -> settle(T, N + 1);
        false -> settle(T, 0)
    end.

quiet(Pid) ->
    case erlang:process_info(Pid, [status, message_queue_len]) of
        undefined -> false; % its end has not been heard of yet
        [{status, waiting}, {message_queue_len, 0}] -> true;
        _ -> false
    end.

%% Where something dies in the middle of a start or stop, two supervisors may be at work at
%% the same time: then each supervisor's own order counts, event by event.
by_supervisor(Words, _Nodes, []) -> Words;
by_supervisor(Words, Nodes, Hooks) ->
    case lists:splitwith(fun(W) -> W =/= "|" end, Words) of
        {Part, []} -> order(Part, Nodes);
        {Part, [Bar | Rest]} ->
            order(Part, Nodes) ++ [Bar | by_supervisor(Rest, Nodes, Hooks)]
    end.

order(Part, Nodes) ->
    [W || {_, W} <- lists:keysort(1, [{place(W, Nodes), W} || W <- Part])].

place([C | Rest], Nodes) when C =:= $s; C =:= $f; C =:= $x ->
    case string:to_integer(Rest) of
        {error, _} -> -1;
        {Row, _} -> element(2, lists:keyfind(Row, 1, Nodes))
    end;
place(_, _) -> -1.

%% Instances have no order: neighbouring stops of one pool are written by number.
sort_pools([]) -> [];
sort_pools([W | Rest]) ->
    case pool_stop(W) of
        {Pool, _} ->
            {Same, Others} = lists:splitwith(fun(V) -> in_pool(Pool, V) end, [W | Rest]),
            [V || {_, V} <- lists:sort([{element(2, pool_stop(V)), V} || V <- Same])]
                ++ sort_pools(Others);
        none -> [W | sort_pools(Rest)]
    end.

pool_stop(W) ->
    case string:split(W, ".") of
        ["x" ++ Pool, Tag] -> {Pool, list_to_integer(Tag)};
        _ -> none
    end.

in_pool(Pool, W) ->
    case pool_stop(W) of {Pool, _} -> true; _ -> false end.
