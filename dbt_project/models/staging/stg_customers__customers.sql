-- On Spark a table: DuckDB's file, which shows what it makes, asks it who the customers of an audience are.
{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

with

source as (

    select * from {{ last_arrived(source('customers', 'customers'), ['customer_id']) }}

),

regions as (

    select * from {{ ref('regions') }}

),

channels as (

    select * from {{ ref('channels') }}

),

renamed as (

    select
        ---------- ids
        source.customer_id,
        source.region_id,
        source.channel_id,

        ---------- text
        source.country,
        regions.region,
        regions.region_label,
        channels.channel,
        channels.channel_label,

        ---------- numbers
        source.minutes_watched,
        source.clv

    from source
    left join regions on source.region_id = regions.region_id
    left join channels on source.channel_id = channels.channel_id

)

select * from renamed
