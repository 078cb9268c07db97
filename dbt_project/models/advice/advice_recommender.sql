-- NDCG is the judge, as where the recommenders are tuned. To be better than a list that is the same for everybody is
-- the least that a recommender must do.

with

metrics as (

    select
        model,
        is_default,
        is_baseline,
        max(case when metric = 'ndcg' then value end) as ndcg,
        max(case when metric = 'coverage' then value end) as coverage,
        max(case when metric = 'users' then value end) as users
    from {{ ref('recommender_metrics') }}
    group by model, is_default, is_baseline

),

baselines as (

    select
        model as baseline,
        ndcg as baseline_ndcg,
        coverage as baseline_coverage,
        row_number() over (order by ndcg desc nulls last, model asc) as place
    from metrics
    where is_baseline

),

judged as (

    select
        metrics.model,
        metrics.users,
        metrics.ndcg,
        metrics.coverage,
        baselines.baseline,
        baselines.baseline_ndcg,
        baselines.baseline_coverage,
        metrics.ndcg / nullif(baselines.baseline_ndcg, 0) as gain
    from metrics
    inner join baselines
        on
            metrics.is_default
            and baselines.place = 1
    where metrics.users >= {{ var('advice_least_people') }}

),

final as (

    select
        'recommendations' as topic,
        case
            when gain >= {{ var('advice_least_ratio') }}
                then
                    'Replace lists of what is popular by personal ones: tried on ' || {{ say_count('users') }}
                    || ' users, the model “' || model || '” ranks their held-out titles at '
                    || {{ say_number('ndcg', 3) }} || ' NDCG, the list “' || baseline || '” at '
                    || {{ say_number('baseline_ndcg', 3) }} || ', and it reaches '
                    || {{ say_percent('coverage') }} || ' of the titles instead of '
                    || {{ say_percent('baseline_coverage') }} || '.'
            else
                'Keep lists of what is popular for now: tried on ' || {{ say_count('users') }}
                || ' users, the model “' || model || '” ranks their held-out titles at '
                || {{ say_number('ndcg', 3) }} || ' NDCG, the list “' || baseline || '” at '
                || {{ say_number('baseline_ndcg', 3) }} || '.'
        end as sentence,
        {{ figures_as_json({
            'model': 'model', 'users': 'users', 'ndcg': 'ndcg', 'coverage': 'coverage', 'baseline': 'baseline',
            'baseline_ndcg': 'baseline_ndcg', 'baseline_coverage': 'baseline_coverage'
        }) }} as figures,
        'recommender_metrics' as source,
        case when gain >= 1 then gain else 1 / nullif(gain, 0) end as ratio
    from judged

)

select * from final
